"""Invoices, payments and account credit."""

from piccolo.columns import BigInt, BigSerial, Integer, SmallInt
from piccolo.constraints import Check, Unique
from piccolo.table import Table

from app.core.columns import key, moment, reference, text
from app.domain.accounts.tables import Account
from app.domain.orders.tables import Order


class TaxRate(Table, tablename="tax_rate"):
    """Tax by country of the client; basis points."""

    id = key()
    country = text(unique=True)
    name = text()
    rate_bp = Integer()

    sane = Check("rate_bp BETWEEN 0 AND 10000")


class Invoice(Table, tablename="invoice"):
    """What a client owes; totals are the sums of its lines."""

    id = key()
    number = BigSerial(unique=True)
    account = reference(Account)
    order = reference(Order, null=True, unique=True)
    state = text(index=True)
    currency = text()
    subtotal_minor = BigInt()
    tax_minor = BigInt()
    total_minor = BigInt()
    paid_minor = BigInt(default=0)
    issued_at = moment()
    due_at = moment()
    paid_at = moment(null=True)

    known_state = Check("state IN ('open', 'paid', 'void', 'refunded')")
    adds_up = Check("total_minor = subtotal_minor + tax_minor")


class InvoiceLine(Table, tablename="invoice_line"):
    id = key()
    invoice = reference(Invoice)
    position = SmallInt()
    description = text()
    quantity = Integer()
    unit_minor = BigInt()
    amount_minor = BigInt()
    tax_rate_bp = Integer()
    tax_minor = BigInt()

    invoice_line_once = Unique([invoice, position])
    multiplies = Check("amount_minor = unit_minor * quantity")


class Payment(Table, tablename="payment"):
    """An attempt to pay an invoice through a gateway; `gateway_ref` is the gateway's id."""

    id = key()
    invoice = reference(Invoice)
    gateway = text()
    gateway_ref = text()
    state = text(index=True)
    amount_minor = BigInt()
    currency = text()
    created_at = moment()
    settled_at = moment(null=True)
    note = text(default="")

    payment_once = Unique([gateway, gateway_ref])
    known_state = Check("state IN ('pending', 'succeeded', 'failed', 'canceled', 'refunded')")


class CreditEntry(Table, tablename="credit_entry"):
    """A line of a credit ledger; the balance is the sum. `entry_key` makes it idempotent."""

    id = key()
    account = reference(Account)
    currency = text()
    amount_minor = BigInt()
    reason = text()
    entry_key = text(unique=True)
    invoice = reference(Invoice, null=True)
    at = moment()


class GatewayEvent(Table, tablename="gateway_event"):
    """A webhook that was received; the unique pair drops what a gateway sends again."""

    id = key()
    gateway = text()
    event_id = text()
    received_at = moment()

    gateway_event_once = Unique([gateway, event_id])
