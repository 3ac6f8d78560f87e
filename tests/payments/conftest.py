"""A small Slipway on loopback with the pay page, and the stand-in that it is paid at."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec
import pytest
import uvicorn
from litestar import Litestar, Response, get
from litestar.di import Provide
from litestar.params import FromPath
from playwright.async_api import Browser, BrowserContext, Page
from redis.asyncio import Redis

from app.adapters import make_gateways
from app.components.page import portal_page
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import new_key
from app.domain.accounts.views import AccountView
from app.domain.billing.reconcile import reconcile
from app.domain.orders.find import find_order
from app.domain.orders.views import OrderView
from app.drivers.payment.contract import Gateway
from app.routes.assets import serve_asset
from app.routes.live import live_stream
from app.routes.portal.pay import Pay
from app.routes.security.dependencies import Db, Frame, Me
from app.routes.security.html import html
from app.routes.security.plugin import SecurityPlugin
from app.routes.security.visit import SESSION_COOKIE, Edge
from app.routes.webhooks.payment import PaymentWebhook
from app.settings import Settings
from tests.accounts.people import make_account, sign_in
from tests.billing.ledger import Books, books
from tests.chromium import WATCH
from tests.orders.world import a_shop, an_order
from tests.payments.stand_in import StandIn, start


@get("/orders/{order_id:uuid}")
async def order_page(db: Db, me: Me, frame: Frame, order_id: FromPath[UUID]) -> Response[str]:
    async with db.snapshot() as tx:
        order = await find_order(tx, order_id, account=me.id)
    return html(portal_page(f"Order {order.number}", frame=frame))


@pytest.fixture(scope="session")
def listener() -> Any:
    """The address of every test's shop; the stand-in sends its webhooks there."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener


@pytest.fixture(scope="session")
async def stand_in(
    listener: socket.socket, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[StandIn]:
    url = f"http://127.0.0.1:{listener.getsockname()[1]}/webhooks/stripe"
    running = await start(tmp_path_factory.mktemp("payments"), url)
    yield running
    await running.stop()


@pytest.fixture
def settings(listener: socket.socket, stand_in: StandIn) -> Settings:
    return Settings(
        _env_file=None,
        base_url=f"http://127.0.0.1:{listener.getsockname()[1]}",
        keys=new_key(),
        company="Acme Metal",
        stripe_secret_key=stand_in.facts["secret_key"],
        stripe_publishable_key=stand_in.facts["publishable_key"],
        stripe_webhook_secret=stand_in.facts["webhook_secret"],
        stripe_api_url=stand_in.facts["api_url"],
        stripe_js_url=stand_in.facts["js_url"],
        bank_account_name="Acme Metal",
        bank_iban="DE02120300000000202051",
        bank_bic="BYLADEM1001",
        bank_name="Deutsche Kreditbank",
    )


@dataclass
class Shop:
    """One client's order of 59.00 EUR, and the site on which it is paid."""

    database: Database
    settings: Settings
    gateways: dict[str, Gateway]
    account: AccountView
    order: OrderView
    token: str

    @property
    def invoice(self) -> UUID:
        assert self.order.invoice_id is not None
        return self.order.invoice_id

    @property
    def pay_url(self) -> str:
        return f"{self.settings.base_url}/invoices/{self.invoice}/pay"

    @property
    def order_url(self) -> str:
        return f"{self.settings.base_url}/orders/{self.order.id}"

    async def books(self) -> Books:
        async with self.database.snapshot() as tx:
            return await books(tx, self.invoice)

    async def payments(self) -> list[tuple[str, str]]:
        """Return gateway and state of every payment of the invoice."""
        async with self.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT gateway, state FROM payment WHERE invoice = $1 ORDER BY created_at, id",
                self.invoice,
            )
        return [(row["gateway"], row["state"]) for row in rows]

    async def ref(self) -> str:
        """Return what the gateway calls the one payment of the invoice."""
        async with self.database.snapshot() as tx:
            found: str = await tx.fetchval(
                "SELECT gateway_ref FROM payment WHERE invoice = $1", self.invoice
            )
        return found

    async def holds(self) -> set[Any]:
        """Return until when order, server and addresses are held; one value when they agree."""
        async with self.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT hold_expires_at AS at FROM client_order WHERE id = $1 "
                "UNION SELECT hold_expires_at FROM server WHERE holder = $1 "
                "UNION SELECT expires_at FROM address_claim WHERE holder = $1",
                self.order.id,
            )
        return {row["at"] for row in rows}

    async def until_paid(self, *, limit_s: float = 30.0) -> Books:
        """Wait for the webhook, which localstripe sends a second later."""
        async with asyncio.timeout(limit_s):
            while (seen := await self.books()).invoice != "paid":  # noqa: ASYNC110 - two processes
                await asyncio.sleep(0.03)
        return seen

    async def reconcile(self) -> None:
        self.database.clock.advance(minutes=1)  # type: ignore[attr-defined]
        await reconcile(self.database, self.gateways)


@asynccontextmanager
async def serving(app: Litestar, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(
        app, log_level="error", ws="none", lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve([listener.dup()]))
    async with asyncio.timeout(30):
        while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)
    yield
    server.should_exit = True
    await task


ShopMaker = Callable[..., Awaitable[Shop]]


@pytest.fixture
async def open_shop(
    database: Database, redis: Redis, listener: socket.socket, settings: Settings
) -> AsyncIterator[ShopMaker]:
    """Open the shop, with other settings than usual where some are named."""
    live = Live(redis)
    database.after_commit = live.publish
    await live.start()
    opened: list[tuple[Any, dict[str, Gateway]]] = []

    async def make(**changes: Any) -> Shop:
        chosen = settings.model_copy(update=changes)
        gateways = make_gateways(chosen)

        def provide(value: object) -> Provide:
            return Provide(lambda: value, sync_to_thread=False)

        app = Litestar(
            [serve_asset, live_stream, Pay, PaymentWebhook, order_page],
            plugins=[SecurityPlugin(lambda: Edge(chosen, database, redis))],
            dependencies={
                "db": provide(database),
                "live": provide(live),
                "settings": provide(chosen),
                "gateways": provide(gateways),
            },
            openapi_config=None,
        )
        site = serving(app, listener)
        await site.__aenter__()
        opened.append((site, gateways))
        account = await make_account(database)
        async with database.transaction() as tx:
            await a_shop(tx)
            order = await an_order(tx, account.id)
        token = (await sign_in(database)).token
        return Shop(database, chosen, gateways, account, order, token)

    yield make
    for site, gateways in opened:
        await site.__aexit__(None, None, None)
        for gateway in gateways.values():
            await gateway.close()
    await live.stop()


@pytest.fixture
async def shop(open_shop: ShopMaker) -> Shop:
    return await open_shop()


class Window(msgspec.Struct):
    """A client's browser window; `said` is what its console complained of."""

    context: BrowserContext
    page: Page
    said: list[str]

    async def type_card(self, number: str) -> None:
        frame = self.page.frame_locator("#payment-element iframe")
        await frame.get_by_label("Card number").fill(number)
        await frame.get_by_label("Expiry date").fill("12 / 40")
        await frame.get_by_label("Security code").fill("123")

    async def pay(self) -> None:
        await self.page.get_by_role("button", name="Pay €59.00").click()

    async def broken(self) -> list[str]:
        """Return violations of the policy and errors of scripts, of the page and its frames."""
        found: list[str] = []
        for frame in self.page.frames:
            found += await frame.evaluate("window.broken ?? []")
        return found + self.said


@pytest.fixture
async def open_window(
    shop_windows: list[Window], browser: Browser
) -> Callable[..., Awaitable[Window]]:
    async def make(shop: Shop, url: str | None = None, **settings: Any) -> Window:
        size = {"width": 1280, "height": 900}
        context = await browser.new_context(
            **({"viewport": size, "reduced_motion": "reduce"} | settings)
        )
        cookie = {"name": SESSION_COOKIE, "value": shop.token, "url": shop.settings.base_url}
        await context.add_cookies([cookie])  # type: ignore[list-item]
        page = await context.new_page()
        window = Window(context, page, [])
        shop_windows.append(window)
        page.on(
            "console",
            # Refused cards are answered with 402, which Chromium writes down by itself.
            lambda line: (
                window.said.append(line.text)
                if line.type in {"error", "warning"} and "status of 4" not in line.text
                else None
            ),
        )
        await page.add_init_script(WATCH)
        await page.goto(url or shop.pay_url)
        return window

    return make


@pytest.fixture
async def shop_windows() -> AsyncIterator[list[Window]]:
    windows: list[Window] = []
    yield windows
    for window in windows:
        await window.context.close()
