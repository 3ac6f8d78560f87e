"""What tests of money read back: the sums, straight from the tables."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.money import Money
from app.drivers.payment.contract import PaymentFact, PaymentState, WebhookEvent


class Books(msgspec.Struct, frozen=True, kw_only=True):
    invoice: str
    order: str
    paid_minor: int
    credit_minor: int
    started: int
    """How many times the order's flow was asked to start."""


async def books(tx: Tx, invoice: UUID) -> Books:
    row = await tx.fetchrow(
        "SELECT i.state AS invoice, COALESCE(o.state, '') AS order, i.paid_minor, "
        "(SELECT COALESCE(sum(amount_minor), 0)::bigint FROM credit_entry c "
        "WHERE c.account = i.account) AS credit_minor, "
        "(SELECT count(*) FROM outbox b WHERE b.key = 'order.paid:' || o.id::text) AS started "
        'FROM invoice i LEFT JOIN client_order o ON o.id = i."order" WHERE i.id = $1',
        invoice,
    )
    assert row is not None
    return msgspec.convert(dict(row), Books)


def fact(
    invoice: UUID | None,
    amount_minor: int | None,
    *,
    state: PaymentState = PaymentState.SUCCEEDED,
    ref: str = "pi_1",
    currency: str = "EUR",
) -> PaymentFact:
    return PaymentFact(
        ref=ref,
        state=state,
        amount=None if amount_minor is None else Money(amount_minor, currency),
        invoice_id=str(invoice) if invoice else None,
    )


def event(told: PaymentFact | None, event_id: str = "evt_1") -> WebhookEvent:
    return WebhookEvent(
        event_id=event_id, kind="payment_intent", ref=told.ref if told else None, fact=told
    )
