"""Mark an order as paid: secure what is held for it, and have its flow start."""

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.orders.hold import keep_hold
from app.domain.orders.lock import LockedOrder
from app.domain.orders.states import OrderState, move

PAID_LATE = "Paid after the hold had expired; looking for a server again."


async def mark_paid(tx: Tx, order: LockedOrder) -> None:
    """Move an order that awaits payment to paid, in the transaction that settles its invoice.

    What is held stays held without an expiry. The outbox row starts the flow, once.
    Raises OrderNotAllowed.
    """
    kept = await keep_hold(tx, order.id)
    await move(tx, order.id, OrderState.paid, reason="" if kept else PAID_LATE)
    await tx.execute(
        "UPDATE client_order SET paid_at = $2, hold_expires_at = NULL WHERE id = $1",
        order.id,
        tx.now(),
    )
    await emit(tx, "order.paid", f"order.paid:{order.id}", {"order": str(order.id)})
