"""The web process: resources, adapters and routes put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from litestar import Litestar
from litestar.di import Provide
from litestar.types import ControllerRouterHandler

from app.adapters import make_deployer, make_gateways, make_peers
from app.domain.addresses.desk import ClaimDesk
from app.resources import Resources
from app.routes.admin import ADMIN
from app.routes.api.api import API, OPENAPI
from app.routes.api.words import ObjectWords
from app.routes.assets import serve_asset
from app.routes.console import open_console
from app.routes.designer import DESIGNER
from app.routes.health import healthz, metrics, readyz
from app.routes.live import live_stream
from app.routes.netboot.machine import Machine
from app.routes.portal import PORTAL
from app.routes.security.plugin import SecurityPlugin
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


def create_app(resources: Resources, *, debug: bool = False) -> Litestar:
    """Return the ASGI application over open resources; it closes only what it made itself."""
    settings = resources.settings
    gateways = make_gateways(settings)
    deployer = make_deployer(settings)
    peers = make_peers(settings, resources.database.clock)
    desk = ClaimDesk(resources.database)

    @asynccontextmanager
    async def close_adapters(_: Litestar) -> AsyncIterator[None]:
        yield
        await desk.close()
        for gateway in gateways.values():
            await gateway.close()
        await peers.close()

    def provide(value: object) -> Provide:
        return Provide(lambda: value, sync_to_thread=False)

    return Litestar(
        route_handlers=list(HANDLERS),
        plugins=[SecurityPlugin(settings, resources.database, resources.redis), ObjectWords()],
        dependencies={
            "db": provide(resources.database),
            "redis": provide(resources.redis),
            "live": provide(resources.live),
            "vault": provide(resources.vault),
            "settings": provide(settings),
            "desk": provide(desk),
            "gateways": provide(gateways),
            "deployer": provide(deployer),
            "peers": provide(peers),
        },
        openapi_config=OPENAPI,
        lifespan=[close_adapters],
        debug=debug,
        logging_config=None,
    )
