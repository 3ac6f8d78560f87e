"""Issue an invoice: what was priced becomes what is owed."""

from datetime import datetime
from uuid import UUID

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.billing.states import InvoiceState, tell_invoice
from app.domain.catalog.price import PriceBreakdown


async def issue(
    tx: Tx, breakdown: PriceBreakdown, *, account: UUID, order: UUID | None, due_at: datetime
) -> UUID:
    """Write an open invoice with a line for every charge; returns its id.

    An order has at most one: a second one is refused by the database.
    """
    invoice = new_id()
    await tx.execute(
        'INSERT INTO invoice (id, account, "order", state, currency, subtotal_minor, tax_minor, '
        "total_minor, paid_minor, issued_at, due_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, 0, "
        "$9, $10)",
        invoice,
        account,
        order,
        InvoiceState.open,
        breakdown.currency,
        breakdown.subtotal_minor,
        breakdown.tax_minor,
        breakdown.total_minor,
        tx.now(),
        due_at,
    )
    await tx.executemany(
        "INSERT INTO invoice_line (id, invoice, position, description, quantity, unit_minor, "
        "amount_minor, tax_rate_bp, tax_minor) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        [
            (
                new_id(),
                invoice,
                position,
                charge.description,
                charge.quantity,
                charge.unit_minor,
                charge.amount_minor,
                breakdown.tax_rate_bp,
                charge.tax_minor,
            )
            for position, charge in enumerate(breakdown.charges(), start=1)
        ],
    )
    tell_invoice(tx, invoice, account)
    return invoice
