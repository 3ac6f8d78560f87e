"""The states of invoices and payments, and the only ways between them."""

from enum import StrEnum
from uuid import UUID

from app.core.database import Tx
from app.domain.billing.errors import InvoiceNotAllowed


class InvoiceState(StrEnum):
    """Whether money is still owed."""

    open = "open"
    """Some or all of it is owed; what came so far is in `paid_minor`."""

    paid = "paid"
    """Paid in full. Money that still comes is account credit."""

    void = "void"
    """Never to be paid: the order was given up. Money that still comes is account credit."""

    refunded = "refunded"
    """Was paid; the money was given back as account credit."""


INVOICE_TRANSITIONS: dict[InvoiceState, frozenset[InvoiceState]] = {
    InvoiceState.open: frozenset({InvoiceState.paid, InvoiceState.void}),
    InvoiceState.paid: frozenset({InvoiceState.refunded}),
    InvoiceState.void: frozenset(),
    InvoiceState.refunded: frozenset(),
}


class PaymentState(StrEnum):
    """What a gateway last said of a payment, but never less than it said before."""

    pending = "pending"
    """Begun; the gateway has not decided."""

    succeeded = "succeeded"
    """The money is there. Nothing that a gateway says later takes that back here."""

    failed = "failed"
    """Declined; the same payment may yet succeed when the client tries again."""

    canceled = "canceled"
    """Given up at the gateway. Should money come all the same, it counts."""

    refunded = "refunded"
    """Given back through the gateway."""


PAYMENT_TRANSITIONS: dict[PaymentState, frozenset[PaymentState]] = {
    PaymentState.pending: frozenset(
        {PaymentState.succeeded, PaymentState.failed, PaymentState.canceled}
    ),
    PaymentState.failed: frozenset(
        {PaymentState.pending, PaymentState.succeeded, PaymentState.canceled}
    ),
    PaymentState.canceled: frozenset({PaymentState.succeeded}),
    PaymentState.succeeded: frozenset({PaymentState.refunded}),
    PaymentState.refunded: frozenset(),
}


async def move_invoice(tx: Tx, invoice: UUID, to: InvoiceState) -> None:
    """Move an invoice to `to`; one compare-and-swap. Raises InvoiceNotAllowed."""
    came_from = [state for state, ways in INVOICE_TRANSITIONS.items() if to in ways]
    row = await tx.fetchrow(
        "UPDATE invoice SET state = $2, paid_at = CASE WHEN $2 = 'paid' THEN $3 ELSE paid_at END "
        "WHERE id = $1 AND state = ANY($4) RETURNING account",
        invoice,
        to,
        tx.now(),
        came_from,
    )
    if row is None:
        state = await tx.fetchval("SELECT state FROM invoice WHERE id = $1", invoice)
        raise InvoiceNotAllowed(invoice, state=state or "unknown", wanted=to)
    tell_invoice(tx, invoice, row["account"])


def tell_invoice(tx: Tx, invoice: UUID, account: UUID) -> None:
    """Have the pages that show the invoice look again after the commit."""
    tx.publish(f"invoice:{invoice}", f"account:{account}", "invoices", "dashboard")
