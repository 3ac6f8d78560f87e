"""Settle: what a gateway says of a payment is written down, and money counts exactly once.

Facts come by webhook, by asking the gateway and from people, in any order and any number
of times. The row of a payment, unique by (gateway, reference), decides: the first news of
its success moves money, and nothing after that does. Everything here, the outbox rows that
start the order's flow and tell the client included, is in the caller's transaction.
"""

from enum import StrEnum
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict
from app.core.ids import new_id
from app.core.money import Money
from app.core.outbox import emit
from app.domain.billing.credit import add_credit
from app.domain.billing.errors import InvoiceNotOpen, UnknownPayment
from app.domain.billing.facts import PaymentFacts
from app.domain.billing.lock import LockedInvoice, lock_invoice
from app.domain.billing.states import (
    PAYMENT_TRANSITIONS,
    InvoiceState,
    PaymentState,
    move_invoice,
    tell_invoice,
)
from app.domain.orders.mark_paid import mark_paid
from app.drivers.payment.contract import PaymentFact


class Outcome(StrEnum):
    """What a fact changed."""

    noted = "noted"
    """The payment's state was written down; no money moved."""

    repeated = "repeated"
    """The payment had been settled before; nothing changed."""

    part = "part"
    """The invoice got a part of what it asks for and stays open."""

    paid = "paid"
    """The invoice is now paid in full, and its order goes on."""

    credited = "credited"
    """The invoice needs no money: all of it became account credit."""


class Settled(msgspec.Struct, frozen=True, kw_only=True):
    """`applied_minor` went to the invoice, `credited_minor` to the account's credit."""

    invoice: UUID
    order: UUID | None
    payment: UUID
    outcome: Outcome
    applied_minor: int = 0
    credited_minor: int = 0


class _Payment(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    state: PaymentState
    amount_minor: int
    currency: str


async def settle(tx: Tx, fact: PaymentFact, *, gateway: str) -> Settled:
    """Write down a fact of the gateway called `gateway`; idempotent, in any order.

    A success pays the invoice as far as it is open; what is too much, in another currency,
    or for an invoice that is paid, void or refunded becomes account credit. News of a
    failure after a success changes nothing. Raises UnknownPayment. Some 10 statements.
    """
    invoice = await lock_invoice(tx, await _invoice_of(tx, fact, gateway))
    payment = await _payment(tx, fact, gateway, invoice)
    state = PaymentState(fact.state.value)
    if payment.state in {PaymentState.succeeded, PaymentState.refunded}:
        return _settled(invoice, payment, Outcome.repeated)
    if state is not PaymentState.succeeded:
        if state in PAYMENT_TRANSITIONS[payment.state]:
            await tx.execute("UPDATE payment SET state = $2 WHERE id = $1", payment.id, state)
            tell_invoice(tx, invoice.id, invoice.account)
        return _settled(invoice, payment, Outcome.noted)
    received = fact.amount or Money(payment.amount_minor, payment.currency)
    await tx.execute(
        "UPDATE payment SET state = $2, settled_at = $3, amount_minor = $4, currency = $5 "
        "WHERE id = $1",
        payment.id,
        state,
        tx.now(),
        received.amount_minor,
        received.currency,
    )
    tell_invoice(tx, invoice.id, invoice.account)
    settled = await _apply(tx, invoice, payment, received)
    await _tell_flows(tx, invoice, settled, received, gateway=gateway, ref=fact.ref)
    return settled


async def settle_nothing(tx: Tx, invoice: UUID) -> None:
    """Settle an invoice that asks for nothing. Raises InvoiceNotOpen when it does or did."""
    locked = await lock_invoice(tx, invoice)
    if locked.state is not InvoiceState.open or locked.due_minor:
        raise InvoiceNotOpen(locked.number, state=locked.state)
    await _complete(tx, locked)


async def _invoice_of(tx: Tx, fact: PaymentFact, gateway: str) -> UUID:
    """Return the invoice of a payment that is known, else the one that the fact names."""
    known: UUID | None = await tx.fetchval(
        "SELECT invoice FROM payment WHERE gateway = $1 AND gateway_ref = $2", gateway, fact.ref
    )
    if known is not None:
        return known
    try:
        named = UUID(fact.invoice_id or "")
    except ValueError:
        raise UnknownPayment(gateway, fact.ref) from None
    if not await tx.fetchval("SELECT EXISTS (SELECT FROM invoice WHERE id = $1)", named):
        raise UnknownPayment(gateway, fact.ref)
    return named


async def _payment(tx: Tx, fact: PaymentFact, gateway: str, invoice: LockedInvoice) -> _Payment:
    """Return the payment's row, written now if this is the first that is heard of it.

    All payments of an invoice change under the invoice's lock. Only two invoices that are
    told of one reference at once meet at the unique key; then the second is refused.
    """
    row = await tx.fetchrow(
        "INSERT INTO payment (id, invoice, gateway, gateway_ref, state, amount_minor, currency, "
        "created_at) VALUES ($1, $2, $3, $4, 'pending', $5, $6, $7) "
        "ON CONFLICT (gateway, gateway_ref) DO UPDATE SET gateway = excluded.gateway "
        "WHERE payment.invoice = excluded.invoice "
        "RETURNING id, state, amount_minor, currency",
        new_id(),
        invoice.id,
        gateway,
        fact.ref,
        fact.amount.amount_minor if fact.amount else invoice.due_minor,
        fact.amount.currency if fact.amount else invoice.currency,
        tx.now(),
    )
    if row is None:
        raise Conflict(f"{gateway} payment {fact.ref} was just recorded for another invoice.")
    return msgspec.convert(dict(row), _Payment)


async def _apply(tx: Tx, invoice: LockedInvoice, payment: _Payment, received: Money) -> Settled:
    """Put money where it is owed, and the rest into credit."""
    same_currency = received.currency == invoice.currency
    applied_minor = min(received.amount_minor, invoice.due_minor) if same_currency else 0
    surplus_minor = received.amount_minor - applied_minor
    if applied_minor:
        await tx.execute(
            "UPDATE invoice SET paid_minor = paid_minor + $2 WHERE id = $1",
            invoice.id,
            applied_minor,
        )
    if surplus_minor > 0:
        await add_credit(
            tx,
            invoice.account,
            amount_minor=surplus_minor,
            currency=received.currency,
            reason=_why(invoice, same_currency=same_currency),
            key=f"payment:{payment.id}",
            invoice=invoice.id,
        )
    if invoice.state is not InvoiceState.open or not same_currency:
        outcome = Outcome.credited
        await _tell_admin(tx, invoice, payment, received)
    elif applied_minor < invoice.due_minor:
        outcome = Outcome.part
    else:
        outcome = Outcome.paid
        await _complete(tx, invoice)
        await _tell_client(tx, invoice)
    return _settled(invoice, payment, outcome, applied_minor, surplus_minor)


async def _complete(tx: Tx, invoice: LockedInvoice) -> None:
    await move_invoice(tx, invoice.id, InvoiceState.paid)
    if invoice.order is not None:
        await mark_paid(tx, invoice.order)


async def _tell_client(tx: Tx, invoice: LockedInvoice) -> None:
    """Have the client told that the order is paid; not for one that costs nothing.

    A row of its own beside `order.paid`: neither the flow nor the mail waits for the other.
    """
    if invoice.order is not None:
        order = str(invoice.order.id)
        await emit(tx, "payment.received", f"payment.received:{order}", {"order": order})


async def _tell_flows(
    tx: Tx, invoice: LockedInvoice, settled: Settled, received: Money, *, gateway: str, ref: str
) -> None:
    """Let flows start and go on that money came; a payment settles once, and so this comes once."""
    facts = PaymentFacts(
        payment=settled.payment,
        invoice=invoice.id,
        invoice_number=invoice.number,
        order=settled.order,
        account=invoice.account,
        gateway=gateway,
        gateway_ref=ref,
        amount_minor=received.amount_minor,
        currency=received.currency,
        outcome=settled.outcome,
        applied_minor=settled.applied_minor,
        credited_minor=settled.credited_minor,
        settled_at=tx.now(),
    )
    key = f"payment.settled:{settled.payment}"
    await emit(tx, "payment.settled", key, msgspec.to_builtins(facts))


async def _tell_admin(tx: Tx, invoice: LockedInvoice, payment: _Payment, received: Money) -> None:
    await emit(
        tx,
        "admin.notice",
        f"admin.notice:payment-credited:{payment.id}",
        {
            "kind": "payment.credited",
            "invoice": str(invoice.id),
            "order": str(invoice.order.id) if invoice.order else None,
            "subject": f"{received.text()} came for invoice {invoice.number}, "
            f"which is {invoice.state}",
            "text": "The money was put into the client's account credit. Ask the client whether "
            "it is for a new order, or send it back from the gateway.",
        },
    )


def _why(invoice: LockedInvoice, *, same_currency: bool) -> str:
    if not same_currency:
        return f"Paid for invoice {invoice.number} in another currency"
    if invoice.state is InvoiceState.open:
        return f"Paid too much for invoice {invoice.number}"
    return f"Paid for invoice {invoice.number}, which was {invoice.state}"


def _settled(
    invoice: LockedInvoice,
    payment: _Payment,
    outcome: Outcome,
    applied_minor: int = 0,
    credited_minor: int = 0,
) -> Settled:
    return Settled(
        invoice=invoice.id,
        order=invoice.order.id if invoice.order else None,
        payment=payment.id,
        outcome=outcome,
        applied_minor=applied_minor,
        credited_minor=credited_minor,
    )
