"""Give back what unpaid orders hold too long, and cancel those that nobody pays.

Both work in batches, oldest first, and skip orders that someone else has locked: any
number of workers may run them, as often as they like. Call again while a batch is full.
"""

from datetime import timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.orders.cancel import cancel_unpaid
from app.domain.orders.hold import note_hold, release_hold
from app.domain.orders.lock import lock_order
from app.domain.orders.states import UNPAID, tell

ORDER_TTL = timedelta(days=7)
BATCH = 50
HOLD_EXPIRED = "The server is no longer held for this order; pay to have one held again."
NEVER_PAID = "Not paid in time."


async def expire_order_holds(tx: Tx, *, limit: int = BATCH) -> list[UUID]:
    """Release what orders hold past its expiry; returns the orders. They stay payable."""
    rows = await tx.fetch(
        "SELECT id, account FROM client_order WHERE hold_expires_at <= $1 AND state = ANY($2) "
        "ORDER BY hold_expires_at LIMIT $3 FOR NO KEY UPDATE SKIP LOCKED",
        tx.now(),
        list(UNPAID),
        limit,
    )
    expired = await _free_to_take(tx, [row["id"] for row in rows])
    for row in rows:
        if row["id"] in expired:
            await release_hold(tx, row["id"])
            await note_hold(tx, row["id"], None, reason=HOLD_EXPIRED)
            tell(tx, row["id"], row["account"])
    return expired


async def expire_orders(
    tx: Tx, *, order_ttl: timedelta = ORDER_TTL, limit: int = BATCH
) -> list[UUID]:
    """Cancel orders that were placed more than `order_ttl` ago and not paid; returns them.

    One for which something is still held is left: its client was told until when. The invoices
    are voided; what was paid in part is account credit.
    """
    rows = await tx.fetch(
        "SELECT id FROM client_order WHERE state = ANY($1) AND placed_at <= $2 "
        "AND (hold_expires_at IS NULL OR hold_expires_at <= $3) "
        "ORDER BY placed_at LIMIT $4 FOR NO KEY UPDATE SKIP LOCKED",
        list(UNPAID),
        tx.now() - order_ttl,
        tx.now(),
        limit,
    )
    unpaid = await _free_to_take(tx, [row["id"] for row in rows])
    for order in unpaid:
        await cancel_unpaid(tx, await lock_order(tx, order), reason=NEVER_PAID)
    return unpaid


async def _free_to_take(tx: Tx, orders: list[UUID]) -> list[UUID]:
    """Lock the servers of the orders and leave out orders whose server someone else has locked.

    A batch comes to have many servers locked. It must not wait for yet another one, or it
    and a checkout that waits for one of them would wait for each other.
    """
    rows = await tx.fetch("SELECT holder FROM server WHERE holder = ANY($1)", orders)
    locked = await tx.fetch(
        "SELECT holder FROM server WHERE holder = ANY($1) FOR NO KEY UPDATE SKIP LOCKED", orders
    )
    busy = {row["holder"] for row in rows} - {row["holder"] for row in locked}
    return [order for order in orders if order not in busy]
