"""Cancel an order: give back what it holds, and keep the money right."""

from uuid import UUID

from app.core.database import Tx
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.billing.lock import invoice_of_order, lock_invoice
from app.domain.billing.refund import refund_order
from app.domain.billing.void import void
from app.domain.orders.errors import AlreadyPaid
from app.domain.orders.hold import note_hold, release_hold
from app.domain.orders.lock import LockedOrder, lock_order
from app.domain.orders.states import UNPAID, OrderState, move


async def cancel_own(tx: Tx, order: UUID, *, account: UUID, actor_label: str) -> None:
    """Cancel a client's own unpaid order; again does nothing.

    Raises NotFound when it is not theirs, AlreadyPaid when only staff can do it.
    """
    locked = await lock_order(tx, order, account=account)
    if locked.state is OrderState.cancelled:
        return
    if locked.state not in UNPAID:
        raise AlreadyPaid(order)
    await cancel_unpaid(tx, locked, reason="Cancelled by the client.")
    await _record(tx, locked, account, actor_label, "")


async def cancel(tx: Tx, order: UUID, *, actor: UUID | None, actor_label: str, reason: str) -> None:
    """Cancel an order as staff; one that is paid is refunded to account credit.

    Again does nothing. Raises OrderAtWork while a server is being set up for it, and
    OrderNotAllowed for one that is delivered (terminate its service instead).
    """
    locked = await lock_order(tx, order)
    if locked.state is OrderState.cancelled:
        return
    if locked.state not in UNPAID:
        await refund_order(tx, order, actor=actor, actor_label=actor_label, reason=reason)
        return
    await cancel_unpaid(tx, locked, reason=reason)
    await _record(tx, locked, actor, actor_label, reason)


async def cancel_unpaid(tx: Tx, order: LockedOrder, *, reason: str) -> None:
    """Cancel a locked order that is not paid: void its invoice, release what it holds."""
    if invoice := await invoice_of_order(tx, order.id):
        await void(tx, await lock_invoice(tx, invoice))
    await release_hold(tx, order.id)
    await note_hold(tx, order.id, None)
    await move(tx, order.id, OrderState.cancelled, reason=reason)
    await emit(tx, "order.cancelled", f"order.cancelled:{order.id}", {"order": str(order.id)})


async def _record(
    tx: Tx, order: LockedOrder, actor: UUID | None, actor_label: str, reason: str
) -> None:
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="order.cancelled",
        subject_kind="order",
        subject=order.id,
        before={"state": order.state},
        after={"state": OrderState.cancelled},
        reason=reason,
    )
