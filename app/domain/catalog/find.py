"""Read the catalogue: each function is one or two statements, whatever the number of rows."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.catalog.kind import KIND_OF_P, ProductKind
from app.domain.catalog.views import (
    CategoryView,
    OsImageView,
    PriceView,
    ProductCard,
    ProductView,
    lowest_price,
)

# PostgreSQL builds the whole product as one JSON value and msgspec checks it into the view:
# one round trip instead of five. A system that cannot be installed now is not offered.
_PRODUCT = """
SELECT jsonb_build_object(
    'id', p.id, 'slug', p.slug, 'name', p.name, 'summary', p.summary,
    'description', p.description, 'specs', p.specs, 'is_visible', p.is_visible,
    'category_id', c.id, 'category_slug', c.slug, 'category_name', c.name,
    'server_rules', p.server_rules, 'address_rules', p.address_rules,
    'machine_rules', p.machine_rules, 'game_rules', p.game_rules,
    'custom_rules', p.custom_rules, 'disk_layouts', p.disk_layouts,
    'prices', COALESCE((
        SELECT jsonb_agg(jsonb_build_object('currency', a.currency, 'cycle', a.cycle,
            'recurring_minor', a.recurring_minor, 'setup_minor', a.setup_minor)
            ORDER BY a.currency, a.recurring_minor)
        FROM product_price a WHERE a.product = p.id), '[]'),
    'groups', COALESCE((
        SELECT jsonb_agg(jsonb_build_object('id', g.id, 'code', g.code, 'name', g.name,
            'help', g.help, 'kind', g.kind, 'is_required', g.is_required,
            'minimum', g.minimum, 'maximum', g.maximum,
            'options', COALESCE((
                SELECT jsonb_agg(jsonb_build_object('id', o.id, 'code', o.code, 'name', o.name,
                    'help', o.help,
                    'prices', COALESCE((
                        SELECT jsonb_agg(jsonb_build_object('currency', b.currency,
                            'cycle', b.cycle, 'recurring_minor', b.recurring_minor,
                            'setup_minor', b.setup_minor) ORDER BY b.currency, b.recurring_minor)
                        FROM option_price b WHERE b.option = o.id), '[]'))
                    ORDER BY o.position, o.name)
                FROM option o WHERE o.option_group = g.id AND NOT (g.code = 'os' AND EXISTS (
                    SELECT FROM os_image i WHERE i.code = o.code AND NOT i.is_enabled))), '[]'))
            ORDER BY g.position, g.name)
        FROM option_group g WHERE g.product = p.id), '[]'))::text
FROM product p JOIN category c ON c.id = p.category
"""


async def find_product(tx: Tx, slug: str, *, hidden: bool = False) -> ProductView:
    """Return a product that is on sale; with `hidden`, also one that is not shown.

    One statement. Raises NotFound.
    """
    built = await tx.fetchval(
        f"{_PRODUCT} WHERE p.slug = $1 AND (p.is_visible OR $2)", slug, hidden
    )
    if built is None:
        raise NotFound("product", slug)
    return msgspec.json.decode(built, type=ProductView)


async def product_by_id(tx: Tx, product: UUID) -> ProductView:
    """Return a product, shown or not: what was ordered once stays known. Raises NotFound."""
    built = await tx.fetchval(f"{_PRODUCT} WHERE p.id = $1", product)
    if built is None:
        raise NotFound("product", product)
    return msgspec.json.decode(built, type=ProductView)


async def list_products(tx: Tx, *, hidden: bool = False) -> tuple[ProductView, ...]:
    """Return all products with everything; by category, then in their own order."""
    rows = await tx.fetch(
        f"{_PRODUCT} WHERE p.is_visible OR $1 ORDER BY c.position, c.name, p.position, p.name",
        hidden,
    )
    return tuple(msgspec.json.decode(row[0], type=ProductView) for row in rows)


async def list_categories(
    tx: Tx, *, currency: str, hidden: bool = False
) -> tuple[CategoryView, ...]:
    """Return the categories that have products on sale, each product with its lowest price.

    With `hidden`, also products that are not shown, and empty categories. Two statements.
    """
    products: dict[UUID, list[ProductCard]] = {}
    for row in await tx.fetch(
        "SELECT p.category, p.id, p.slug, p.name, p.summary, p.specs, COALESCE(("
        "SELECT jsonb_agg(jsonb_build_object('currency', a.currency, 'cycle', a.cycle, "
        "'recurring_minor', a.recurring_minor, 'setup_minor', a.setup_minor)) "
        "FROM product_price a WHERE a.product = p.id AND a.currency = $1), '[]')::text AS prices "
        "FROM product p WHERE p.is_visible OR $2 ORDER BY p.position, p.name",
        currency,
        hidden,
    ):
        card = ProductCard(
            id=row["id"],
            slug=row["slug"],
            name=row["name"],
            summary=row["summary"],
            specs=msgspec.json.decode(row["specs"], type=tuple[tuple[str, str], ...]),
            lowest=lowest_price(msgspec.json.decode(row["prices"], type=list[PriceView])),
        )
        products.setdefault(row["category"], []).append(card)
    return tuple(
        CategoryView(
            id=row["id"],
            slug=row["slug"],
            name=row["name"],
            products=tuple(products.get(row["id"], ())),
        )
        for row in await tx.fetch("SELECT id, slug, name FROM category ORDER BY position, name")
        if hidden or row["id"] in products
    )


async def categories_of(tx: Tx, kind: ProductKind) -> tuple[tuple[str, str], ...]:
    """Return slug and name of the categories with a product of that kind, shown or not."""
    rows = await tx.fetch(
        "SELECT slug, name FROM category c WHERE EXISTS (SELECT FROM product p "
        f"WHERE p.category = c.id AND {KIND_OF_P} = $1) ORDER BY position, name",
        kind,
    )
    return tuple((row["slug"], row["name"]) for row in rows)


async def category_id(tx: Tx, slug: str) -> UUID:
    """Return the id of a category. Raises NotFound."""
    found: UUID | None = await tx.fetchval("SELECT id FROM category WHERE slug = $1", slug)
    if found is None:
        raise NotFound("category", slug)
    return found


async def list_currencies(tx: Tx) -> tuple[str, ...]:
    """Return the currencies that something on sale has a price in."""
    rows = await tx.fetch(
        "SELECT DISTINCT a.currency FROM product_price a JOIN product p ON p.id = a.product "
        "WHERE p.is_visible ORDER BY 1"
    )
    return tuple(row[0] for row in rows)


async def find_os_image(tx: Tx, code: str) -> OsImageView:
    """Return a system by the code of its option, enabled or not. Raises NotFound."""
    row = await tx.fetchrow("SELECT * FROM os_image WHERE code = $1", code)
    if row is None:
        raise NotFound("operating system", code)
    return msgspec.convert(dict(row), OsImageView)


async def list_os_images(tx: Tx) -> tuple[OsImageView, ...]:
    rows = await tx.fetch("SELECT * FROM os_image ORDER BY family, release DESC, code")
    return tuple(msgspec.convert(dict(row), OsImageView) for row in rows)
