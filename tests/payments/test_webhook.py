"""The webhook route, signature by signature, against the real database."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import httpx
import pytest
from litestar import Litestar
from litestar.di import Provide
from redis.asyncio import Redis

from app.core.database import Database
from app.core.secrets import new_key
from app.drivers.payment.bank_transfer import BankAccount, BankTransfer
from app.drivers.payment.contract import Gateway
from app.drivers.payment.stripe import StripeAccount, StripeGateway
from app.drivers.secret import Secret
from app.routes.security.plugin import SecurityPlugin
from app.routes.security.visit import Edge
from app.routes.webhooks.payment import MAX_BODY_BYTES, PaymentWebhook
from app.settings import Settings
from tests.billing.ledger import Books, books
from tests.orders.world import a_client, a_shop, an_order

SECRET = "whsec_slipway_tests"


@pytest.fixture
async def invoice(database: Database) -> UUID:
    """An open invoice of 59.00 EUR."""
    async with database.transaction() as tx:
        await a_shop(tx)
        order = await an_order(tx, await a_client(tx))
    assert order.invoice_id is not None
    return order.invoice_id


@pytest.fixture
async def gateways() -> AsyncIterator[dict[str, Gateway]]:
    stripe = StripeGateway(
        StripeAccount(
            secret_key=Secret("sk_test_x"),
            publishable_key="pk_test_x",
            webhook_secret=Secret(SECRET),
            api_base="http://127.0.0.1:9",
        )
    )
    account = BankAccount(holder="Slipway", iban="DE02120300000000202051", bic="X", bank_name="X")
    yield {"stripe": stripe, "bank_transfer": BankTransfer(account)}
    await stripe.close()


@pytest.fixture
async def http(
    database: Database, redis: Redis, gateways: dict[str, Gateway]
) -> AsyncIterator[httpx.AsyncClient]:
    settings = Settings(_env_file=None, keys=new_key())
    app = Litestar(
        [PaymentWebhook],
        plugins=[SecurityPlugin(lambda: Edge(settings, database, redis))],
        dependencies={
            "db": Provide(lambda: database, sync_to_thread=False),
            "gateways": Provide(lambda: gateways, sync_to_thread=False),
        },
        openapi_config=None,
    )
    transport = httpx.ASGITransport(app, client=("192.0.2.9", 1), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://slipway.test") as http:
        yield http


def event(
    invoice: UUID | None,
    status: str = "succeeded",
    *,
    event_id: str = "evt_1",
    ref: str = "pi_1",
    amount: int = 5_900,
    error: bool = False,
) -> bytes:
    intent = {
        "id": ref,
        "object": "payment_intent",
        "status": status,
        "amount": amount,
        "amount_received": amount if status == "succeeded" else 0,
        "currency": "eur",
        "metadata": {"invoice_id": str(invoice)} if invoice else {},
        "last_payment_error": {"code": "card_declined"} if error else None,
    }
    return json.dumps(
        {
            "id": event_id,
            "object": "event",
            "type": f"payment_intent.{status}",
            "data": {"object": intent},
        }
    ).encode()


def signed(body: bytes, *, secret: str = SECRET, age_s: int = 0) -> dict[str, str]:
    at = int(time.time()) - age_s
    mac = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256)
    return {"Stripe-Signature": f"t={at},v1={mac.hexdigest()}", "Content-Type": "application/json"}


async def send(http: httpx.AsyncClient, body: bytes, **more: object) -> httpx.Response:
    return await http.post("/webhooks/stripe", content=body, headers=signed(body, **more))  # type: ignore[arg-type]


async def read(database: Database, invoice: UUID) -> Books:
    async with database.snapshot() as tx:
        return await books(tx, invoice)


PAID = Books(invoice="paid", order="paid", paid_minor=5_900, credit_minor=0, started=1)
OPEN = Books(invoice="open", order="awaiting_payment", paid_minor=0, credit_minor=0, started=0)


async def test_a_signed_event_pays(
    http: httpx.AsyncClient, database: Database, invoice: UUID
) -> None:
    answer = await send(http, event(invoice))
    assert (answer.status_code, answer.text) == (200, "")
    assert await read(database, invoice) == PAID


@pytest.mark.parametrize("why", ["tampered", "other secret", "old", "unsigned", "nonsense"])
async def test_what_is_not_signed_now_by_the_gateway_is_refused_without_a_word(
    http: httpx.AsyncClient, database: Database, invoice: UUID, why: str
) -> None:
    body = event(invoice)
    headers = {
        "tampered": signed(event(invoice, amount=1)),
        "other secret": signed(body, secret="whsec_other"),
        "old": signed(body, age_s=400),
        "unsigned": {},
        "nonsense": signed(b"[]"),
    }[why]
    content = b"[]" if why == "nonsense" else body
    answer = await http.post("/webhooks/stripe", content=content, headers=headers)
    assert (answer.status_code, answer.text) == (400, "")
    assert await read(database, invoice) == OPEN


async def test_twice_and_at_once_counts_once(
    http: httpx.AsyncClient, database: Database, invoice: UUID
) -> None:
    body = event(invoice)
    answers = await asyncio.gather(*(send(http, body) for _ in range(5)))
    again = await send(http, body, age_s=30)
    another = await send(http, event(invoice, event_id="evt_2"))
    assert {answer.status_code for answer in (*answers, again, another)} == {200}
    assert await read(database, invoice) == PAID


async def test_out_of_order(http: httpx.AsyncClient, database: Database, invoice: UUID) -> None:
    """News of the declined first try come after those of the second's success."""
    assert (await send(http, event(invoice))).status_code == 200
    late = event(invoice, "requires_payment_method", event_id="evt_0", error=True)
    assert (await send(http, late)).status_code == 200
    assert (await send(http, event(invoice, "processing", event_id="evt_00"))).status_code == 200
    assert await read(database, invoice) == PAID


async def test_a_failure_and_then_a_success(
    http: httpx.AsyncClient, database: Database, invoice: UUID
) -> None:
    first = event(invoice, "requires_payment_method", event_id="evt_0", error=True)
    assert (await send(http, first)).status_code == 200
    assert await read(database, invoice) == OPEN
    assert (await send(http, event(invoice))).status_code == 200
    assert await read(database, invoice) == PAID


async def test_an_event_of_no_payment_is_taken(
    http: httpx.AsyncClient, database: Database, invoice: UUID
) -> None:
    thing = {"id": "cus_1", "object": "customer"}
    body = json.dumps(
        {"id": "evt_9", "object": "event", "type": "customer.created", "data": {"object": thing}}
    ).encode()
    assert (await send(http, body)).status_code == 200
    assert await read(database, invoice) == OPEN


async def test_money_for_nobody_is_told_to_an_admin(
    http: httpx.AsyncClient, database: Database, invoice: UUID
) -> None:
    assert (await send(http, event(uuid4()))).status_code == 200
    assert (await send(http, event(None, event_id="evt_2", ref="pi_2"))).status_code == 200
    async with database.snapshot() as tx:
        told = await tx.fetchval("SELECT count(*) FROM outbox WHERE topic = 'admin.notice'")
    assert told == 2
    assert await read(database, invoice) == OPEN


async def test_unknown_gateways_and_those_without_webhooks(http: httpx.AsyncClient) -> None:
    assert (await http.post("/webhooks/paypal", content=b"{}")).status_code == 404
    assert (await http.post("/webhooks/bank_transfer", content=b"{}")).status_code == 400
    assert (await http.get("/webhooks/stripe")).status_code == 405


async def test_a_large_body_is_not_read(
    http: httpx.AsyncClient, database: Database, invoice: UUID
) -> None:
    body = event(invoice) + b" " * MAX_BODY_BYTES
    assert (await send(http, body)).status_code == 413
    assert await read(database, invoice) == OPEN


async def test_payment_and_what_follows_are_one(
    http: httpx.AsyncClient, database: Database, invoice: UUID
) -> None:
    """Where the flow's start cannot be written down, neither is the payment, and Stripe repeats."""
    async with database.transaction() as tx:
        # The order's own row is there already.
        await tx.execute("ALTER TABLE outbox ADD CONSTRAINT full_disk CHECK (topic = '') NOT VALID")
    assert (await send(http, event(invoice))).status_code == 500
    assert await read(database, invoice) == OPEN
    async with database.transaction() as tx:
        await tx.execute("ALTER TABLE outbox DROP CONSTRAINT full_disk")
    assert (await send(http, event(invoice))).status_code == 200
    assert await read(database, invoice) == PAID
