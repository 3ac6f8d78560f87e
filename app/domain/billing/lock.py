"""Take an invoice, and first the order it is for, until the transaction ends."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.billing.states import InvoiceState
from app.domain.orders.lock import LockedOrder, lock_order


class LockedInvoice(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that verbs decide by; they hold until the commit."""

    id: UUID
    number: int
    account: UUID
    order: LockedOrder | None
    state: InvoiceState
    currency: str
    total_minor: int
    paid_minor: int
    due_at: datetime

    @property
    def due_minor(self) -> int:
        return self.total_minor - self.paid_minor if self.state is InvoiceState.open else 0


async def lock_invoice(tx: Tx, invoice: UUID, *, account: UUID | None = None) -> LockedInvoice:
    """Return the invoice, locked after its order (see `orders/lock.py`).

    With `account`, only if it is that client's. Raises NotFound.
    """
    known = await tx.fetchrow(
        'SELECT "order" FROM invoice WHERE id = $1 AND ($2::uuid IS NULL OR account = $2)',
        invoice,
        account,
    )
    if known is None:
        raise NotFound("invoice", invoice)
    order = await lock_order(tx, known["order"]) if known["order"] else None
    row = await tx.fetchrow(
        "SELECT id, number, account, state, currency, total_minor, paid_minor, due_at "
        "FROM invoice WHERE id = $1 FOR NO KEY UPDATE",
        invoice,
    )
    return msgspec.convert(dict(row or {}) | {"order": order}, LockedInvoice)


async def invoice_of_order(tx: Tx, order: UUID) -> UUID | None:
    """Return the id of the order's invoice, None before there is one."""
    found: UUID | None = await tx.fetchval('SELECT id FROM invoice WHERE "order" = $1', order)
    return found
