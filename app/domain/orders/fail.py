"""Mark an order as failed: its flow gave up, and a person has to look."""

from uuid import UUID

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.orders.lock import lock_order
from app.domain.orders.states import OrderState, move


async def fail(tx: Tx, order: UUID, *, reason: str) -> None:
    """Move a paid order to failed with its reason, and tell an admin; again does nothing.

    The money stays where it is: `mark_provisioning` tries again, `billing/refund.py` gives
    it back. Raises OrderNotAllowed for one that is not paid, delivered or cancelled.
    """
    locked = await lock_order(tx, order)
    if locked.state is OrderState.failed:
        return
    await move(tx, order, OrderState.failed, reason=reason)
    await emit(
        tx,
        "admin.notice",
        # A later try may fail as well, and is then news again.
        f"admin.notice:order-failed:{order}:{tx.now().isoformat()}",
        {
            "kind": "order.failed",
            "order": str(order),
            "subject": f"Order {locked.number} ({locked.hostname}) failed",
            "text": f"{reason}\n\nThe order is paid. Put right what stopped it and retry its "
            "run, or refund the order to account credit.",
        },
    )
