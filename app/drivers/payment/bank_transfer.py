"""Bank transfer: the client is told where to send the money, an admin records that it came."""

from collections.abc import Mapping
from datetime import datetime

import msgspec

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


class BankAccount(msgspec.Struct, frozen=True, kw_only=True):
    """Our account, as it is printed for the client."""

    holder: str
    iban: str
    bic: str
    bank_name: str


class BankTransfer:
    """Adapter of `Gateway`. The payment's reference text is the invoice number."""

    key = "bank_transfer"
    label = "Bank transfer"
    settled_by = SettledBy.ADMIN

    def __init__(self, account: BankAccount) -> None:
        self._account = account

    async def start(self, request: PaymentRequest) -> StartedPayment:
        account = self._account
        return StartedPayment(
            ref=f"bank:{request.invoice_number}",
            instructions=(
                ("Account holder", account.holder),
                ("IBAN", _grouped(account.iban)),
                ("BIC", account.bic),
                ("Bank", account.bank_name),
                ("Amount", request.amount.text()),
                ("Reference", request.invoice_number),
            ),
        )

    async def fetch(self, ref: str) -> PaymentFact:
        return PaymentFact(ref=ref, state=PaymentState.PENDING, amount=None)

    def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> WebhookEvent:  # noqa: ARG002 - the contract's
        raise BadSignature(self.key, "a bank transfer has no webhooks")

    async def refund(self, ref: str, amount: Money, idempotency_key: str) -> RefundFact:  # noqa: ARG002 - the contract's
        raise Refused(
            self.key, field="gateway", reason=f"send {amount.text()} back from the bank by hand"
        )

    async def recent(self, since: datetime) -> list[PaymentFact]:  # noqa: ARG002 - the contract's
        return []

    async def close(self) -> None:
        """Nothing is open."""


def _grouped(iban: str) -> str:
    """Return the IBAN in groups of four, as it is printed (ISO 13616)."""
    plain = iban.replace(" ", "").upper()
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))
