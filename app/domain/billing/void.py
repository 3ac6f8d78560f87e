"""Void an invoice that will not be paid."""

from app.core.database import Tx
from app.domain.billing.credit import add_credit
from app.domain.billing.lock import LockedInvoice
from app.domain.billing.states import InvoiceState, move_invoice


async def void(tx: Tx, invoice: LockedInvoice) -> None:
    """Close an open invoice unpaid; what was paid on it in part becomes account credit.

    Doing it again does nothing. Payments under way stay pending: money that arrives for
    them is credit. Raises InvoiceNotAllowed for one that is paid.
    """
    if invoice.state is InvoiceState.void:
        return
    await move_invoice(tx, invoice.id, InvoiceState.void)
    if invoice.paid_minor:
        await add_credit(
            tx,
            invoice.account,
            amount_minor=invoice.paid_minor,
            currency=invoice.currency,
            reason=f"Paid on invoice {invoice.number}, which was voided",
            key=f"void:{invoice.id}",
            invoice=invoice.id,
        )
