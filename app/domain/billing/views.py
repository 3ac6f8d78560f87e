"""Invoices, payments and credit as pages see them; amounts are minor units of `currency`."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page
from app.domain.billing.states import InvoiceState, PaymentState


class InvoiceLineView(msgspec.Struct, frozen=True, kw_only=True):
    description: str
    quantity: int
    unit_minor: int
    amount_minor: int
    tax_rate_bp: int
    tax_minor: int


class PaymentView(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    gateway: str
    gateway_ref: str
    state: PaymentState
    amount_minor: int
    currency: str
    created_at: datetime
    settled_at: datetime | None
    note: str


class InvoiceRow(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice in a list."""

    id: UUID
    number: int
    account_id: UUID
    account_email: str
    account_name: str
    order_id: UUID | None
    order_number: int | None
    state: InvoiceState
    currency: str
    subtotal_minor: int
    tax_minor: int
    total_minor: int
    paid_minor: int
    issued_at: datetime
    due_at: datetime
    paid_at: datetime | None

    @property
    def due_minor(self) -> int:
        """Return what is still to be paid."""
        return self.total_minor - self.paid_minor if self.state is InvoiceState.open else 0


class InvoiceView(InvoiceRow, frozen=True, kw_only=True):
    """An invoice with its lines and every attempt to pay it, the latest last."""

    account_company: str
    account_country: str
    lines: tuple[InvoiceLineView, ...]
    payments: tuple[PaymentView, ...]


InvoicePage: TypeAlias = Page[InvoiceRow]


class CreditLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of a credit ledger; `balance_minor` is what there was after it."""

    id: UUID
    at: datetime
    currency: str
    amount_minor: int
    balance_minor: int
    reason: str
    invoice_id: UUID | None
    invoice_number: int | None
