"""Refund an order that cannot be served: the money becomes account credit."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.billing.credit import add_credit
from app.domain.billing.errors import NotPaid
from app.domain.billing.lock import invoice_of_order, lock_invoice
from app.domain.billing.states import InvoiceState, move_invoice
from app.domain.orders.errors import OrderAtWork
from app.domain.orders.hold import note_hold, release_hold
from app.domain.orders.lock import LockedOrder, lock_order
from app.domain.orders.states import OrderState, move


class Refunded(msgspec.Struct, frozen=True, kw_only=True):
    """What went back into the client's account credit."""

    order: UUID
    invoice: UUID
    amount_minor: int
    currency: str


async def refund_order(
    tx: Tx, order: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> Refunded:
    """Cancel a paid order and credit all that was paid for it; again changes nothing.

    What it still holds is released, and `order.cancelled` tells its run to stop. Raises
    NotPaid, OrderAtWork while a server is being set up for it, OrderNotAllowed for a
    delivered one, NotFound.
    """
    locked = await lock_order(tx, order)
    invoice_id = await invoice_of_order(tx, order)
    if invoice_id is None:
        raise NotFound("invoice of order", order)
    invoice = await lock_invoice(tx, invoice_id)
    refunded = Refunded(
        order=order,
        invoice=invoice_id,
        amount_minor=invoice.paid_minor,
        currency=invoice.currency,
    )
    if invoice.state is InvoiceState.refunded:
        return refunded
    if invoice.state is not InvoiceState.paid:
        raise NotPaid(invoice.number)
    await _check_idle(tx, locked)
    await move(tx, order, OrderState.cancelled, reason=reason)
    await move_invoice(tx, invoice_id, InvoiceState.refunded)
    if invoice.paid_minor:
        await add_credit(
            tx,
            invoice.account,
            amount_minor=invoice.paid_minor,
            currency=invoice.currency,
            reason=f"Refund of invoice {invoice.number}",
            key=f"refund:{invoice_id}",
            invoice=invoice_id,
        )
        await emit(tx, "order.refunded", f"order.refunded:{order}", {"order": str(order)})
    await release_hold(tx, order)
    await note_hold(tx, order, None, reason=reason)
    await emit(tx, "order.cancelled", f"order.cancelled:{order}", {"order": str(order)})
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="order.refunded",
        subject_kind="order",
        subject=order,
        before={"state": locked.state, "invoice": invoice.state},
        after={
            "state": OrderState.cancelled,
            "invoice": InvoiceState.refunded,
            "credited_minor": invoice.paid_minor,
            "currency": invoice.currency,
        },
        reason=reason,
    )
    return refunded


async def _check_idle(tx: Tx, order: LockedOrder) -> None:
    """Refuse while a flow works on a machine; nothing was done to one that is only held."""
    if order.state is not OrderState.provisioning:
        return
    server = await tx.fetchval(
        "SELECT name FROM server WHERE holder = $1 AND state <> 'held' UNION ALL "
        'SELECT s.hostname FROM machine m JOIN service s ON s.id = m.service WHERE s."order" = $1 '
        "AND m.removed_at IS NULL UNION ALL "
        "SELECT s.hostname FROM game_server g JOIN service s ON s.id = g.service "
        'WHERE s."order" = $1 AND g.removed_at IS NULL LIMIT 1',
        order.id,
    )
    if server is not None:
        raise OrderAtWork(order.id, server=server)
