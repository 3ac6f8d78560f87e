"""How many of each product could be delivered now."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.inventory.stock import stock
from app.solver.want import ServerWant


async def stock_of_products(tx: Tx, *, hidden: bool = False) -> dict[UUID, int]:
    """Return the number of free servers that serve each product on sale, by product id.

    Each is counted as if it alone were sold. One statement here and one pass of the solver.
    """
    rows = await tx.fetch("SELECT id, server_rules FROM product WHERE is_visible OR $1", hidden)
    wants = {row["id"]: msgspec.json.decode(row["server_rules"], type=ServerWant) for row in rows}
    return await stock(tx, wants)
