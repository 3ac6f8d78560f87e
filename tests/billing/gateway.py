"""A gateway that the tests decide for: the contract, with nothing behind it."""

from collections.abc import Mapping
from datetime import datetime

from app.core.errors import Conflict
from app.core.money import Money
from app.drivers.errors import BadSignature, Refused, Unreachable
from app.drivers.payment.contract import (
    PaymentFact,
    PaymentRequest,
    PaymentState,
    RefundFact,
    SettledBy,
    StartedPayment,
    WebhookEvent,
)


class TestGateway:
    """Keeps payments by reference; `down` makes it unreachable, `ask` counts the questions."""

    __test__ = False
    label = "Test"

    def __init__(self, key: str = "stripe", settled_by: SettledBy = SettledBy.WEBHOOK) -> None:
        self.key = key
        self.settled_by = settled_by
        self.payments: dict[str, PaymentFact] = {}
        self.keys: dict[str, str] = {}
        self.listed: list[PaymentFact] = []
        self.down = False
        self.asked: list[str] = []

    async def start(self, request: PaymentRequest) -> StartedPayment:
        self._reach()
        ref = self.keys.setdefault(request.idempotency_key, f"pi_{len(self.keys) + 1}")
        known = self.payments.setdefault(
            ref,
            PaymentFact(
                ref=ref,
                state=PaymentState.PENDING,
                amount=request.amount,
                invoice_id=request.invoice_id,
            ),
        )
        if known.amount != request.amount:
            raise Conflict("a key is used for one request only")
        return StartedPayment(ref=ref, client_secret=f"{ref}_secret")

    async def fetch(self, ref: str) -> PaymentFact:
        self.asked.append(ref)
        self._reach()
        if ref not in self.payments:
            raise Refused(self.key, field="ref", reason="unknown")
        return self.payments[ref]

    async def recent(self, since: datetime) -> list[PaymentFact]:
        self._reach()
        return self.listed

    def decide(self, ref: str, state: PaymentState = PaymentState.SUCCEEDED) -> PaymentFact:
        before = self.payments[ref]
        self.payments[ref] = PaymentFact(
            ref=ref, state=state, amount=before.amount, invoice_id=before.invoice_id
        )
        return self.payments[ref]

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:
        raise BadSignature(self.key, "tests make their events themselves")

    async def refund(self, ref: str, amount: Money, idempotency_key: str) -> RefundFact:
        raise Refused(self.key, field="gateway", reason="money goes to credit")

    async def close(self) -> None:
        """Nothing is open."""

    def _reach(self) -> None:
        if self.down:
            raise Unreachable(self.key, "down")
