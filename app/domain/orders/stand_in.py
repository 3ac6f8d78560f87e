"""Whether an order could be given another server than the one that it has."""

from uuid import UUID

from app.core.database import Tx
from app.domain.catalog.find import product_by_id
from app.domain.catalog.wants import server_want
from app.domain.inventory.available import read_available
from app.domain.inventory.rooms import read_side
from app.domain.orders.find import find_order
from app.domain.orders.waiting import kept_for_waiting
from app.solver.match import match


async def has_stand_in(tx: Tx, order_id: UUID, server: UUID) -> bool:
    """Return whether a free server fits the order, of the same kind of BMC as `server`.

    Others that wait for what is free are served before it. Holds nothing: it may be gone in a
    moment. Cost: that of `read_available`, and a match.
    """
    order = await find_order(tx, order_id)
    want = server_want(await product_by_id(tx, order.product_id), order.selection)
    rows = await tx.fetch(
        "SELECT b.server FROM bmc b WHERE b.protocol <> "
        "(SELECT protocol FROM bmc WHERE server = $1)",
        server,
    )
    found = match(
        (await read_available(tx)).inventory,
        want,
        seed=0,
        exclude={*await kept_for_waiting(tx, order_id), *(row["server"] for row in rows)},
        side=await read_side(tx, order_id),
    )
    return bool(found.ranked)
