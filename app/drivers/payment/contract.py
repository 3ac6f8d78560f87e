"""The contract of a payment gateway: what billing knows of money that is outside."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Protocol

import msgspec

from app.core.money import Money


class PaymentState(StrEnum):
    """What the gateway says of one payment."""

    PENDING = "pending"
    """Not paid yet; the client or the bank has still to act."""
    SUCCEEDED = "succeeded"
    """The money is ours. Final, but for refunds."""
    FAILED = "failed"
    """The last attempt was declined; the client may try again with another card."""
    CANCELED = "canceled"
    """Will never be paid. Final."""


class SettledBy(StrEnum):
    """Who brings the news that a payment was made."""

    WEBHOOK = "webhook"
    """The gateway calls us; a lost call is made up for by `recent`."""
    ADMIN = "admin"
    """A person records it from a bank statement."""
    LEDGER = "ledger"
    """Our own books: billing debits the client's credit in its transaction."""


class PaymentRequest(msgspec.Struct, frozen=True, kw_only=True):
    invoice_id: str
    invoice_number: str
    amount: Money
    customer_email: str
    customer_name: str
    return_url: str
    """Where the client's browser comes back to after a bank's own page."""
    idempotency_key: str
    """The same key never starts a second payment."""


class StartedPayment(msgspec.Struct, frozen=True, kw_only=True):
    ref: str
    """The gateway's name of the payment; keep it before showing anything to the client."""
    client_secret: str | None = None
    """For the gateway's script in the client's browser; no secret to that client."""
    instructions: tuple[tuple[str, str], ...] = ()
    """Label and value of what the client must do by hand, in order."""


class PaymentFact(msgspec.Struct, frozen=True, kw_only=True):
    ref: str
    state: PaymentState
    amount: Money | None
    """What was received, or is asked for; None where the gateway does not know."""
    invoice_id: str | None = None
    event_id: str | None = None
    """The event that told it, where one did."""


class WebhookEvent(msgspec.Struct, frozen=True, kw_only=True):
    event_id: str
    """Unique at the gateway: a second delivery carries the same one."""
    kind: str
    """The gateway's own name, for example `payment_intent.succeeded`."""
    ref: str | None
    fact: PaymentFact | None
    """None when the event is of no payment; acknowledge it and do nothing.

    It is a snapshot of when the event happened, and events arrive out of order."""


class RefundFact(msgspec.Struct, frozen=True, kw_only=True):
    ref: str
    payment_ref: str
    state: PaymentState
    amount: Money


class Gateway(Protocol):
    """One way to be paid. Raises only `DriverError`s."""

    key: str
    label: str
    settled_by: SettledBy

    async def start(self, request: PaymentRequest) -> StartedPayment:
        """Announce a payment. Idempotent by `request.idempotency_key`."""
        ...

    async def fetch(self, ref: str) -> PaymentFact:
        """Return what the gateway says now. Raises `Refused` for a ref it does not know."""
        ...

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        """Return the event after its signature was checked. Raises `BadSignature`.

        `body` is what was received, byte for byte. No network is used.
        """
        ...

    async def refund(self, ref: str, amount: Money, idempotency_key: str) -> RefundFact:
        """Send `amount` back. Idempotent by the key. Raises `Refused` where a person must."""
        ...

    async def recent(self, since: datetime) -> list[PaymentFact]:
        """Return the payments that succeeded since then, oldest first, for reconciliation."""
        ...

    async def close(self) -> None: ...
