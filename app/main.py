"""The web process: resources, adapters and routes put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.adapters import make_deployer, make_fleet, make_gateways, make_peers
from app.domain.addresses.desk import ClaimDesk
from app.resources import Resources
from app.routes.admin import ADMIN
from app.routes.api.api import API, OPENAPI
from app.routes.api.words import ObjectWords
from app.routes.assets import serve_asset
from app.routes.designer import DESIGNER
from app.routes.health import healthz, metrics, readyz
from app.routes.live import live_stream
from app.routes.netboot.machine import Machine
from app.routes.open_console import open_console
from app.routes.portal import PORTAL
from app.routes.security.plugin import SecurityPlugin
from app.routes.security.visit import Edge
from app.routes.webhooks.alerts import AlertWebhook
from app.routes.webhooks.flow import FlowWebhook
from app.routes.webhooks.payment import PaymentWebhook

HANDLERS: tuple[ControllerRouterHandler, ...] = (
    serve_asset,
    healthz,
    readyz,
    metrics,
    live_stream,
    open_console,
    Machine,
    AlertWebhook,
    FlowWebhook,
    PaymentWebhook,
    *PORTAL,
    *ADMIN,
    *DESIGNER,
    *API,
)


class Supply:
    """What handlers are given by name: open resources, and adapters made of their settings."""

    NAMES = (
        "db",
        "deployer",
        "desk",
        "gateways",
        "live",
        "peers",
        "redis",
        "serials",
        "settings",
        "vault",
    )

    def __init__(self, resources: Resources) -> None:
        self.put(resources)

    def put(self, resources: Resources) -> None:
        """Give what these resources hold from now on; what was given before is not closed."""
        self.settings = resources.settings
        self.db = resources.database
        self.redis = resources.redis
        self.live = resources.live
        self.vault = resources.vault
        self.desk = ClaimDesk(resources.database)
        self.gateways = make_gateways(resources.settings)
        self.deployer = make_deployer(resources.settings)
        self.peers = make_peers(resources.settings, resources.database.clock)
        self.serials = make_fleet(resources.database, resources.vault)

    async def close(self) -> None:
        """Close what was made here; the resources belong to who opened them."""
        await self.desk.close()
        for gateway in self.gateways.values():
            await gateway.close()
        await self.peers.close()
        await self.serials.close()


def create_app(resources: Resources, *, debug: bool = False) -> Litestar:
    """Return the ASGI application over open resources; it closes only what it made itself."""
    return assemble(Supply(resources), debug=debug)


def assemble(supply: Supply, *, debug: bool = False) -> Litestar:
    """Return the ASGI application that asks `supply` for what each request needs."""

    @asynccontextmanager
    async def close_adapters(_: Litestar) -> AsyncIterator[None]:
        yield
        await supply.close()

    def provide(name: str) -> Provide:
        return Provide(lambda: getattr(supply, name), sync_to_thread=False)

    return Litestar(
        route_handlers=list(HANDLERS),
        plugins=[
            SecurityPlugin(lambda: Edge(supply.settings, supply.db, supply.redis)),
            ObjectWords(),
        ],
        dependencies={name: provide(name) for name in Supply.NAMES},
        openapi_config=OPENAPI,
        lifespan=[close_adapters],
        debug=debug,
        logging_config=None,
    )
