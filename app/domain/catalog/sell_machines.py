"""Put a new product of virtual machines on sale."""

from collections.abc import Mapping
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.audit.record import record
from app.domain.catalog.register import register_category, register_product
from app.domain.catalog.seed import CategorySeed, ProductSeed
from app.domain.machines.check import offer_faults
from app.drivers.hypervisor.contract import Offers


async def sell_machines(
    tx: Tx,
    product: ProductSeed,
    category: CategorySeed,
    *,
    is_new_category: bool,
    offers: Mapping[str, Offers],
    actor: UUID,
    actor_label: str,
    reason: str,
) -> UUID:
    """Return the product, which is on sale, last in its category; audited.

    `offers` is what the providers that could be asked have: names are looked up there. Its flows
    are for the caller to bind. Raises Invalid, by field.
    """
    if product.machine_rules is None:
        raise Invalid({"machine_rules": "Say of what and where its machines are made."})
    if await tx.fetchval("SELECT EXISTS (SELECT FROM product WHERE slug = $1)", product.slug):
        raise Invalid({"slug": f"There is a product {product.slug} already."})
    if faults := offer_faults(product.machine_rules, offers):
        raise Invalid(faults)
    home = await _home(tx, category, is_new=is_new_category)
    last = await tx.fetchval("SELECT count(*) FROM product WHERE category = $1", home)
    made = await register_product(tx, home, product, position=last)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="product.added",
        subject_kind="product",
        subject=made,
        before={},
        after={
            "slug": product.slug,
            "category": category.slug,
            "machine_rules": msgspec.to_builtins(product.machine_rules),
        },
        reason=reason,
    )
    tx.publish("stock")
    return made


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
