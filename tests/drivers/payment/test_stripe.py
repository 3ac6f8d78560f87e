"""The Stripe adapter against localstripe, a stand-in that runs as a process of its own."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import ClassVar

import httpx
import pytest

from app.core.money import Money
from app.drivers import registry
from app.drivers.errors import BadSignature, Refused, Retriable, Unauthorised, Unreachable
from app.drivers.payment.contract import PaymentState
from app.drivers.payment.stripe import StripeAccount, StripeGateway
from app.drivers.payment.stripe_words import from_stripe, to_stripe
from app.drivers.secret import Secret
from tests.drivers.contract.payment import GatewayContract, request
from tests.drivers.process import free_port, running

SECRET_KEY, WEBHOOK_SECRET = "sk_test_slipway", "whsec_slipway"


@pytest.fixture(scope="module")
def localstripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port()
    log = tmp_path_factory.mktemp("localstripe") / "log"
    with running(["-m", "localstripe", "--from-scratch", "--port", str(port)], port, log):
        yield f"http://127.0.0.1:{port}"


def account(api_base: str, **changes: object) -> StripeAccount:
    facts: dict[str, object] = {
        "secret_key": Secret(SECRET_KEY),
        "publishable_key": "pk_test_slipway",
        "webhook_secret": Secret(WEBHOOK_SECRET),
        "api_base": api_base,
    }
    return StripeAccount(**(facts | changes))  # type: ignore[arg-type]


@pytest.fixture
async def gateway(localstripe: str) -> AsyncIterator[StripeGateway]:
    gateway = registry.load("payment", "stripe")(account(localstripe))
    yield gateway
    await gateway.close()


class Client:
    """Does what the client's browser and Stripe's page do between them."""

    def __init__(self, api: httpx.AsyncClient) -> None:
        self._api = api

    async def pay(self, ref: str, number: str = "4242424242424242") -> int:
        card = {"number": number, "exp_month": "12", "exp_year": "2030", "cvc": "123"}
        method = await self._api.post(
            "/v1/payment_methods",
            data={"type": "card"} | {f"card[{key}]": value for key, value in card.items()},
        )
        method.raise_for_status()
        attached = await self._api.post(
            f"/v1/payment_intents/{ref}", data={"payment_method": method.json()["id"]}
        )
        attached.raise_for_status()
        return (await self._api.post(f"/v1/payment_intents/{ref}/confirm")).status_code

    async def cancel(self, ref: str) -> None:
        (await self._api.post(f"/v1/payment_intents/{ref}/cancel")).raise_for_status()

    async def register_webhook(self, url: str) -> None:
        answer = await self._api.post(
            "/_config/webhooks/test",
            json={"url": url, "secret": WEBHOOK_SECRET, "events": ["payment_intent.succeeded"]},
        )
        answer.raise_for_status()


@pytest.fixture
async def client(localstripe: str) -> AsyncIterator[Client]:
    async with httpx.AsyncClient(base_url=localstripe, auth=(SECRET_KEY, "")) as api:
        yield Client(api)


class TestStripe(GatewayContract):
    async def test_a_card_pays(self, gateway: StripeGateway, client: Client) -> None:
        asked = request()
        started = await gateway.start(asked)
        assert started.client_secret is not None
        assert started.client_secret.startswith(f"{started.ref}_secret_")
        assert await client.pay(started.ref) == 200
        fact = await gateway.fetch(started.ref)
        assert fact.state is PaymentState.SUCCEEDED
        assert fact.amount == Money(12_345, "EUR")
        assert fact.invoice_id == asked.invoice_id

    async def test_a_declined_card_and_then_another(
        self, gateway: StripeGateway, client: Client
    ) -> None:
        started = await gateway.start(request())
        assert await client.pay(started.ref, "4000000000000341") == 402
        assert (await gateway.fetch(started.ref)).state is PaymentState.FAILED

    async def test_a_canceled_payment(self, gateway: StripeGateway, client: Client) -> None:
        started = await gateway.start(request())
        await client.cancel(started.ref)
        assert (await gateway.fetch(started.ref)).state is PaymentState.CANCELED

    async def test_a_refund_in_part(self, gateway: StripeGateway, client: Client) -> None:
        started = await gateway.start(request())
        await client.pay(started.ref)
        refund = await gateway.refund(started.ref, Money(345, "EUR"), "refund-1")
        assert (refund.state, refund.amount) == (PaymentState.SUCCEEDED, Money(345, "EUR"))
        assert refund.payment_ref == started.ref

    async def test_a_lost_payment_webhook_is_made_up_for(
        self, gateway: StripeGateway, client: Client
    ) -> None:
        """Paymenter#1260: a paid invoice stayed pending."""
        since = datetime.now(UTC) - timedelta(seconds=2)
        unpaid, paid = await gateway.start(request()), await gateway.start(request())
        await client.pay(paid.ref)
        recent = {fact.ref: fact for fact in await gateway.recent(since)}
        assert unpaid.ref not in recent
        assert recent[paid.ref].state is PaymentState.SUCCEEDED
        assert recent[paid.ref].event_id is not None

    async def test_more_than_a_page_of_payments(
        self, gateway: StripeGateway, client: Client
    ) -> None:
        since = datetime.now(UTC) - timedelta(seconds=1)
        refs = [(await gateway.start(request())).ref for _ in range(3)]
        for ref in refs:
            await client.pay(ref)
        found = [fact.ref for fact in await gateway.recent(since)]
        assert set(refs) <= set(found)
        assert len(found) == len(set(found))

    async def test_an_unknown_payment_is_refused(self, gateway: StripeGateway) -> None:
        with pytest.raises(Refused):
            await gateway.fetch("pi_unknown")

    async def test_a_wrong_key_says_so(self, localstripe: str) -> None:
        stranger = StripeGateway(account(localstripe, secret_key=Secret("wrong-key-here")))
        with pytest.raises(Unauthorised) as caught:
            await stranger.start(request())
        assert "wrong-key-here" not in str(caught.value)
        await stranger.close()

    async def test_nobody_there(self) -> None:
        lonely = StripeGateway(account(f"http://127.0.0.1:{free_port()}"))
        with pytest.raises(Unreachable):
            await lonely.fetch("pi_1")
        await lonely.close()


@pytest.fixture(scope="module")
async def delivered(localstripe: str) -> tuple[dict[str, str], bytes, str]:
    """A webhook as localstripe signs and sends it."""
    received: asyncio.Future[tuple[dict[str, str], bytes]] = (
        asyncio.get_running_loop().create_future()
    )

    async def receive(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = dict(line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        body = await reader.readexactly(int(headers["Content-Length"]))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()
        if not received.done():
            received.set_result((headers, body))

    server = await asyncio.start_server(receive, "127.0.0.1", 0)
    gateway = StripeGateway(account(localstripe))
    async with server, httpx.AsyncClient(base_url=localstripe, auth=(SECRET_KEY, "")) as api:
        client = Client(api)
        await client.register_webhook(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook")
        started = await gateway.start(request())
        await client.pay(started.ref)
        headers, body = await asyncio.wait_for(received, 30)
    await gateway.close()
    return headers, body, started.ref


class TestWebhook:
    """Signature first: what Stripe did not sign, or signed long ago, is nothing."""

    async def test_it_says_who_paid_what(
        self, gateway: StripeGateway, delivered: tuple[dict[str, str], bytes, str]
    ) -> None:
        headers, body, ref = delivered
        event = gateway.parse_webhook(headers, body)
        assert (event.kind, event.ref) == ("payment_intent.succeeded", ref)
        assert event.fact is not None
        assert (event.fact.state, event.fact.amount) == (
            PaymentState.SUCCEEDED,
            Money(12_345, "EUR"),
        )
        assert event.fact.event_id == event.event_id

    async def test_a_second_delivery_has_the_same_event_id(
        self, gateway: StripeGateway, delivered: tuple[dict[str, str], bytes, str]
    ) -> None:
        headers, body, _ = delivered
        lowered = {name.lower(): value for name, value in headers.items()}
        assert gateway.parse_webhook(headers, body) == gateway.parse_webhook(lowered, body)

    async def test_a_changed_amount_is_refused(
        self, gateway: StripeGateway, delivered: tuple[dict[str, str], bytes, str]
    ) -> None:
        headers, body, _ = delivered
        tampered = body.replace(b"12345", b"1")
        assert tampered != body
        with pytest.raises(BadSignature):
            gateway.parse_webhook(headers, tampered)

    async def test_another_secret_is_refused(
        self, localstripe: str, delivered: tuple[dict[str, str], bytes, str]
    ) -> None:
        headers, body, _ = delivered
        other = StripeGateway(account(localstripe, webhook_secret=Secret("whsec_other")))
        with pytest.raises(BadSignature):
            other.parse_webhook(headers, body)
        await other.close()

    @pytest.mark.parametrize(("age_s", "taken"), [(0, True), (300, True), (301, False)])
    async def test_an_old_signature_is_refused(
        self, gateway: StripeGateway, age_s: int, taken: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        now_s = int(time.time())
        monkeypatch.setattr(time, "time", lambda: now_s)
        body = event("charge.updated", {"object": "charge", "id": "ch_1"})
        headers = signed(body, age_s=age_s)
        if taken:
            assert gateway.parse_webhook(headers, body).fact is None
        else:
            with pytest.raises(BadSignature, match="tolerance"):
                gateway.parse_webhook(headers, body)

    @pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"[]"])
    async def test_nonsense_that_is_signed(self, gateway: StripeGateway, body: bytes) -> None:
        with pytest.raises((BadSignature, Refused)):
            gateway.parse_webhook(signed(body), body)


def event(kind: str, thing: dict[str, object]) -> bytes:
    return json.dumps(
        {"id": "evt_1", "object": "event", "type": kind, "data": {"object": thing}}
    ).encode()


def signed(body: bytes, *, age_s: int = 0) -> dict[str, str]:
    at = int(time.time()) - age_s
    mac = hmac.new(WEBHOOK_SECRET.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return {"Stripe-Signature": f"t={at},v1={mac.hexdigest()}"}


class TestWire:
    """What localstripe does not look at: the idempotency key, and Stripe's own faults."""

    @pytest.fixture
    async def wire(self) -> AsyncIterator["Wire"]:
        wire = Wire()
        async with await asyncio.start_server(wire.serve, "127.0.0.1", 0) as server:
            wire.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
            yield wire

    async def test_a_retried_start_carries_the_same_key(self, wire: "Wire") -> None:
        wire.answers = [(500, {"error": {"message": "try again"}}), (200, Wire.INTENT)]
        gateway = StripeGateway(account(wire.url))
        started = await gateway.start(request(idempotency_key="order-7-pay"))
        await gateway.close()
        assert started.ref == "pi_1"
        assert wire.keys == ["order-7-pay", "order-7-pay"]

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(500, Retriable), (429, Retriable), (400, Refused), (401, Unauthorised)],
    )
    async def test_faults_in_stripes_words(
        self, wire: "Wire", status: int, kind: type[Exception]
    ) -> None:
        wire.answers = [(status, {"error": {"message": "said by stripe", "type": "api_error"}})] * 3
        gateway = StripeGateway(account(wire.url))
        with pytest.raises(kind, match="said by stripe"):
            await gateway.fetch("pi_1")
        await gateway.close()


class Wire:
    INTENT: ClassVar = {"id": "pi_1", "object": "payment_intent", "client_secret": "pi_1_secret_1"}

    def __init__(self) -> None:
        self.url = ""
        self.keys: list[str] = []
        self.answers: list[tuple[int, object]] = []

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        headers = {
            k.lower(): v
            for k, v in (line.split(": ", 1) for line in head.split("\r\n")[1:] if line)
        }
        await reader.readexactly(int(headers.get("content-length", 0)))
        self.keys.append(headers.get("idempotency-key", ""))
        status, document = self.answers.pop(0)
        body = json.dumps(document).encode()
        writer.write(
            f"HTTP/1.1 {status} x\r\nContent-Type: application/json\r\nConnection: close\r\n"
            f"Content-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        await writer.drain()
        writer.close()


@pytest.mark.parametrize(
    ("money", "stripes"),
    [
        (Money(1999, "EUR"), 1999),
        (Money(500, "JPY"), 500),
        (Money(500, "ISK"), 50_000),
        (Money(1990, "KWD"), 1990),
    ],
)
def test_amounts_in_stripes_units(money: Money, stripes: int) -> None:
    assert to_stripe(money) == stripes
    assert from_stripe(stripes, money.currency.lower()) == money


def test_a_third_digit_is_refused() -> None:
    with pytest.raises(Refused):
        to_stripe(Money(1999, "KWD"))
