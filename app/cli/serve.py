"""`slipway serve`: the web process."""

import socket

import click
import uvicorn
import uvloop

from app.cli.database import bring_up_to_date
from app.core.live import Live
from app.core.logs import configure_logs
from app.domain.addresses.hints import listening
from app.domain.addresses.index import INDEX
from app.flows.plug_ins import tell_faults
from app.main import create_app
from app.resources import open_resources, start_servers
from app.settings import Settings, load_settings

DRAIN_S = 3


class Server(uvicorn.Server):
    """Ends the live streams when it stops: uvicorn waits for open answers, and they have no end."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._live.hang_up()
        await super().shutdown(sockets)


@click.command()
@click.option("--host", help="Address to listen on instead of SLIPWAY_HOST.")
@click.option("--port", type=int, help="TCP port instead of SLIPWAY_PORT; 0 picks a free one.")
def serve(host: str | None, port: int | None) -> None:
    """Serve the portal, the admin pages and the machines under installation."""
    settings = load_settings()
    update = {"host": host or settings.host, "port": settings.port if port is None else port}
    uvloop.run(_serve(settings.model_copy(update=update)))


async def _serve(settings: Settings) -> None:
    configure_logs(settings.log_format)
    tell_faults()
    servers = start_servers(settings)
    try:
        async with open_resources(settings, servers) as resources:
            await bring_up_to_date(settings, servers, resources.database)
            config = uvicorn.Config(
                create_app(resources),
                host=settings.host,
                port=settings.port,
                loop="uvloop",
                http="httptools",
                ws="websockets-sansio",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=True,
                timeout_graceful_shutdown=DRAIN_S,
            )
            async with listening(resources.database, INDEX):
                await Server(config, resources.live).serve()
    finally:
        servers.stop()
