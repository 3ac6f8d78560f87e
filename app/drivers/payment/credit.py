"""Account credit: paid from the client's balance in our own books, nothing is outside."""

from collections.abc import Mapping
from datetime import datetime

from app.core.money import Money
from app.drivers.errors import BadSignature, Refused
from app.drivers.payment.contract import (
    PaymentFact,
    PaymentRequest,
    PaymentState,
    RefundFact,
    SettledBy,
    StartedPayment,
    WebhookEvent,
)


class AccountCredit:
    """Adapter of `Gateway` for billing's own ledger.

    It never reports a success: that the balance sufficed is known only to the
    transaction that debits it.
    """

    key = "credit"
    label = "Account credit"
    settled_by = SettledBy.LEDGER

    async def start(self, request: PaymentRequest) -> StartedPayment:
        return StartedPayment(ref=f"credit:{request.invoice_id}")

    async def fetch(self, ref: str) -> PaymentFact:
        return PaymentFact(ref=ref, state=PaymentState.PENDING, amount=None)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:  # noqa: ARG002 - the contract's
        raise BadSignature(self.key, "account credit has no webhooks")

    async def refund(self, ref: str, amount: Money, idempotency_key: str) -> RefundFact:  # noqa: ARG002 - the contract's
        raise Refused(self.key, field="gateway", reason="billing credits the account by itself")

    async def recent(self, since: datetime) -> list[PaymentFact]:  # noqa: ARG002 - the contract's
        return []

    async def close(self) -> None:
        """Nothing is open."""
