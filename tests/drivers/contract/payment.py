"""What every gateway must do; an adapter's test class inherits and gives `gateway`."""

import uuid
from datetime import UTC, datetime, timedelta

import pytest

from app.core.money import Money
from app.drivers.errors import BadSignature
from app.drivers.payment.contract import Gateway, PaymentRequest, PaymentState, SettledBy


def request(**changes: object) -> PaymentRequest:
    facts: dict[str, object] = {
        "invoice_id": str(uuid.uuid4()),
        "invoice_number": "INV-2026-0001",
        "amount": Money(12_345, "EUR"),
        "customer_email": "client@example.com",
        "customer_name": "A Client",
        "return_url": "https://panel.example.com/invoices/1",
        "idempotency_key": str(uuid.uuid4()),
    }
    return PaymentRequest(**(facts | changes))  # type: ignore[arg-type]


class GatewayContract:
    """Needs the fixture `gateway`."""

    async def test_a_started_payment_is_pending(self, gateway: Gateway) -> None:
        started = await gateway.start(request())
        fact = await gateway.fetch(started.ref)
        assert (fact.ref, fact.state) == (started.ref, PaymentState.PENDING)

    async def test_the_client_is_told_how_to_pay(self, gateway: Gateway) -> None:
        started = await gateway.start(request())
        assert bool(started.client_secret) is (gateway.settled_by is SettledBy.WEBHOOK)
        assert bool(started.instructions) is (gateway.settled_by is SettledBy.ADMIN)

    async def test_an_unsigned_webhook_is_refused(self, gateway: Gateway) -> None:
        with pytest.raises(BadSignature):
            gateway.parse_webhook({}, b'{"id": "evt_1", "type": "payment_intent.succeeded"}')

    async def test_nothing_is_recent_in_the_future(self, gateway: Gateway) -> None:
        assert await gateway.recent(datetime.now(UTC) + timedelta(days=1)) == []
