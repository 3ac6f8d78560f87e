"""How many of each product could be delivered now, and how that went from day to day."""

from collections.abc import Sequence
from datetime import UTC, date
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.addresses.spare import spare_for, spare_ip4
from app.domain.catalog.custom import custom_stock
from app.domain.catalog.find import list_products
from app.domain.catalog.kind import ProductKind
from app.domain.catalog.views import ProductView
from app.domain.games.room import game_stock
from app.domain.inventory.stock import stock

EVERYWHERE = ""


async def stock_of_products(tx: Tx, *, hidden: bool = False) -> dict[UUID, int]:
    """Return how much of each product on sale could be delivered, by product id.

    Each is counted as if it alone were sold. One statement here and one pass of the solver.
    """
    counts = await stock_at(tx, await list_products(tx, hidden=hidden))
    return {product: number for (product, _), number in counts.items()}


async def stock_at(
    tx: Tx, products: Sequence[ProductView], sites: Sequence[str] = ()
) -> dict[tuple[UUID, str], int]:
    """Return how much of each product could be delivered, EVERYWHERE and at each of the sites.

    By product id and code of the datacentre; one that the product is not delivered from is left
    out. Of physical servers those that fit are counted; of virtual ones the addresses, since
    what their providers have free is not known before they are asked; of game servers the room
    that their panels told last.
    """
    wants = {}
    for one in products:
        if one.kind is ProductKind.SERVER:
            wants[one.id, EVERYWHERE] = one.usual_want
            for site in filter(one.may_be_at, sites):
                wants[one.id, site] = replace(
                    one.usual_want, datacentres=(site,), datacentre_required=True
                )
    on_vlans = {one.id for one in products if one.address_rules.vlan}
    counts = await stock(tx, wants, on_vlans={key for key in wants if key[0] in on_vlans})
    for one in products:
        if one.kind in (ProductKind.GAME, ProductKind.CUSTOM):
            counts |= await _elsewhere(tx, one, sites)
    virtual = [one for one in products if one.kind is ProductKind.MACHINE]
    spare = await spare_ip4(tx) if virtual else {}
    for one in virtual:
        counts[one.id, EVERYWHERE] = spare_for(spare, one.address_rules, one.may_be_at)
        for site in filter(one.may_be_at, sites):
            here = {place: number for place, number in spare.items() if place[1] == site}
            counts[one.id, site] = spare_for(here, one.address_rules, one.may_be_at)
    return counts


async def _elsewhere(
    tx: Tx, product: ProductView, sites: Sequence[str]
) -> dict[tuple[UUID, str], int]:
    """Return the stock of a product for which nothing of ours is held."""
    rules = product.game_rules
    if rules is None:
        most = product.custom_rules.at_most if product.custom_rules else None
        return {(product.id, EVERYWHERE): await custom_stock(tx, product.id, most)}
    counts = {(product.id, EVERYWHERE): await game_stock(tx, rules)}
    for site in filter(product.may_be_at, sites):
        here = replace(rules, places=rules.places_in(site))
        counts[product.id, site] = await game_stock(tx, here)
    return counts


class StockDay(msgspec.Struct, frozen=True):
    """The stock of a product as it was last seen on a day."""

    day: date
    servers: int
    ip4: int


async def note_stock(tx: Tx) -> None:
    """Write down how much of each product could be delivered, as that of today (UTC)."""
    products = await list_products(tx, hidden=True)
    servers = await stock_of_products(tx, hidden=True)
    spare = await spare_ip4(tx)
    await tx.executemany(
        "INSERT INTO stock_level (id, product, day, servers, ip4) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (product, day) DO UPDATE SET servers = excluded.servers, ip4 = excluded.ip4",
        [
            (
                new_id(),
                product.id,
                tx.now().astimezone(UTC).date(),
                servers[product.id],
                spare_for(spare, product.address_rules, product.may_be_at)
                if product.takes_addresses
                else 0,
            )
            for product in products
        ],
    )


async def stock_days(tx: Tx, product: UUID, *, days: int) -> tuple[StockDay, ...]:
    """Return the stock of the last days that were written down, the latest last."""
    rows = await tx.fetch(
        "SELECT day, servers, ip4 FROM stock_level WHERE product = $1 ORDER BY day DESC LIMIT $2",
        product,
        days,
    )
    return tuple(StockDay(**dict(row)) for row in reversed(rows))
