"""How many of each product could be delivered now, and how that went from day to day."""

from datetime import UTC, date
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.addresses.spare import spare_for, spare_ip4
from app.domain.catalog.find import list_products
from app.domain.inventory.stock import stock
from app.solver.want import ServerWant


async def stock_of_products(tx: Tx, *, hidden: bool = False) -> dict[UUID, int]:
    """Return the number of free servers that serve each product on sale, by product id.

    Each is counted as if it alone were sold. One statement here and one pass of the solver.
    """
    rows = await tx.fetch("SELECT id, server_rules FROM product WHERE is_visible OR $1", hidden)
    wants = {row["id"]: msgspec.json.decode(row["server_rules"], type=ServerWant) for row in rows}
    return await stock(tx, wants)


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
                spare_for(spare, product.address_rules, product.server_rules),
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
