"""Read invoices, and the credit ledger."""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import Listing, containing, read_page
from app.domain.billing.states import InvoiceState
from app.domain.billing.views import (
    CreditLine,
    InvoiceLineView,
    InvoicePage,
    InvoiceRow,
    InvoiceView,
    PaymentView,
)

_COLUMNS = """
i.id, i.number, i.account AS account_id, a.email AS account_email, a.name AS account_name,
i."order" AS order_id, o.number AS order_number, i.state, i.currency, i.subtotal_minor,
i.tax_minor, i.total_minor, i.paid_minor, i.issued_at, i.due_at, i.paid_at
"""
_FROM = """
FROM invoice i JOIN account a ON a.id = i.account LEFT JOIN client_order o ON o.id = i."order"
"""


async def find_invoice(tx: Tx, invoice: UUID, *, account: UUID | None = None) -> InvoiceView:
    """Return an invoice; with `account`, only if it is that client's. Three statements.

    Raises NotFound.
    """
    row = await tx.fetchrow(
        f"SELECT {_COLUMNS}, a.company AS account_company, a.country AS account_country {_FROM} "
        "WHERE i.id = $1 AND ($2::uuid IS NULL OR i.account = $2)",
        invoice,
        account,
    )
    if row is None:
        raise NotFound("invoice", invoice)
    lines = await tx.fetch(
        "SELECT description, quantity, unit_minor, amount_minor, tax_rate_bp, tax_minor "
        "FROM invoice_line WHERE invoice = $1 ORDER BY position",
        invoice,
    )
    payments = await tx.fetch(
        "SELECT id, gateway, gateway_ref, state, amount_minor, currency, created_at, settled_at, "
        "note FROM payment WHERE invoice = $1 ORDER BY created_at, id",
        invoice,
    )
    return msgspec.convert(
        dict(row)
        | {
            "lines": [msgspec.convert(dict(line), InvoiceLineView) for line in lines],
            "payments": [msgspec.convert(dict(payment), PaymentView) for payment in payments],
        },
        InvoiceView,
    )


async def invoices_of(tx: Tx, account: UUID, *, page: int = 1) -> InvoicePage:
    """Return a client's invoices, the latest first, 50 a page."""
    return await _page(tx, "i.account = $1", [account], page)


async def list_invoices(
    tx: Tx, *, states: Iterable[InvoiceState] = (), search: str = "", page: int = 1
) -> InvoicePage:
    """Return invoices of the states (any when empty), the latest first, 50 a page.

    `search` is the number of an invoice or an order, or a part of the e-mail address; with
    `#` before it, a number only.
    """
    words = search.strip()
    return await _page(
        tx,
        "(cardinality($1::text[]) = 0 OR i.state = ANY($1)) AND ($2 = '' OR i.number::text = $2 "
        "OR o.number::text = $2 OR a.email ILIKE $3)",
        [list(states), words.removeprefix("#"), containing(words)],
        page,
    )


async def credit_ledger(tx: Tx, account: UUID, *, limit: int = 50) -> tuple[CreditLine, ...]:
    """Return the latest lines of a client's credit, each with the balance after it."""
    rows = await tx.fetch(
        "SELECT c.id, c.at, c.currency, c.amount_minor, c.reason, c.invoice AS invoice_id, "
        "i.number AS invoice_number, (sum(c.amount_minor) OVER (PARTITION BY c.currency "
        "ORDER BY c.id))::bigint AS balance_minor FROM credit_entry c "
        "LEFT JOIN invoice i ON i.id = c.invoice WHERE c.account = $1 "
        "ORDER BY c.id DESC LIMIT $2",
        account,
        limit,
    )
    return tuple(msgspec.convert(dict(row), CreditLine) for row in rows)


async def _page(tx: Tx, where: str, values: Sequence[object], page: int) -> InvoicePage:
    listing = Listing(
        columns=_COLUMNS, source=_FROM, where=where, order_by="i.number DESC", values=values
    )
    return await read_page(tx, listing, page, lambda row: msgspec.convert(dict(row), InvoiceRow))
