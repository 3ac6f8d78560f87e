"""Let a paid order wait, visibly, until there is a server for it."""

from uuid import UUID

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.orders.errors import OrderNotAllowed
from app.domain.orders.lock import lock_order
from app.domain.orders.states import IN_FLIGHT, tell

WAITING = "Waiting for a server: none that fits is free."


async def wait_for_stock(tx: Tx, order: UUID, *, explanation: str) -> None:
    """Note on the order that it waits; tell an admin what to do, and the client, once each.

    The state stays paid or provisioning; `mark_provisioning` clears the note when the flow
    found something. `explanation` is for staff: what was asked for and what is missing.
    Raises OrderNotAllowed for an order that is not in flight (any more).
    """
    locked = await lock_order(tx, order)
    if locked.state not in IN_FLIGHT:
        raise OrderNotAllowed(order, state=locked.state, wanted="waiting for stock")
    if locked.state_reason != WAITING:
        await tx.execute("UPDATE client_order SET state_reason = $2 WHERE id = $1", order, WAITING)
        tell(tx, order, locked.account)
    await emit(
        tx,
        "order.waits_for_stock",
        f"order.waits_for_stock:{order}",
        {"order": str(order)},
    )
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:no-stock:{order}",
        {
            "kind": "order.waits_for_stock",
            "order": str(order),
            "subject": f"Order {locked.number} ({locked.hostname}) is paid and waits for a server",
            "text": f"{explanation}\n\nThe order goes on by itself as soon as a server that fits "
            "is available: add or release one, or refund the order to account credit.",
        },
    )
