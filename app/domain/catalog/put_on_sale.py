"""Put a new product on sale, whatever it is of."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.audit.record import record
from app.domain.catalog.register import register_category, register_product
from app.domain.catalog.seed import CategorySeed, ProductSeed


async def put_on_sale(
    tx: Tx,
    product: ProductSeed,
    category: CategorySeed,
    *,
    is_new_category: bool,
    actor: UUID,
    actor_label: str,
    reason: str,
) -> UUID:
    """Return the product, which is on sale, last in its category; audited with its rules.

    Its flows are for the caller to bind. Raises Invalid, by field.
    """
    await require_free(tx, product.slug)
    home = await _home(tx, category, is_new=is_new_category)
    last = await tx.fetchval("SELECT count(*) FROM product WHERE category = $1", home)
    made = await register_product(tx, home, product, position=last)
    rules = {
        name: msgspec.to_builtins(found)
        for name in ("machine_rules", "game_rules")
        for found in [getattr(product, name)]
        if found is not None
    }
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="product.added",
        subject_kind="product",
        subject=made,
        before={},
        after={"slug": product.slug, "category": category.slug, **rules},
        reason=reason,
    )
    tx.publish("stock")
    return made


async def require_free(tx: Tx, slug: str) -> None:
    """Raise Invalid where a product has that short name."""
    if await tx.fetchval("SELECT EXISTS (SELECT FROM product WHERE slug = $1)", slug):
        raise Invalid({"slug": f"There is a product {slug} already."})


async def _home(tx: Tx, category: CategorySeed, *, is_new: bool) -> UUID:
    found: UUID | None = await tx.fetchval("SELECT id FROM category WHERE slug = $1", category.slug)
    if found is not None and is_new:
        raise Invalid({"new_category": f"There is a category {category.slug} already."})
    if found is None and not is_new:
        raise Invalid({"category": "It is gone; choose another one."})
    if found is not None:
        return found
    last = await tx.fetchval("SELECT coalesce(max(position), -1) + 1 FROM category")
    return await register_category(tx, category, position=last)
