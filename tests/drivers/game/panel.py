"""The stand-in of a panel, served on loopback by the test's own loop."""

import contextlib
from collections.abc import AsyncIterator

from aiohttp import web

from app.drivers.game.contract import GamePeer
from app.drivers.secret import Secret
from app.drivers.tls import TrustSystem
from lab.pterodactyl.clock import Clock
from lab.pterodactyl.furnish import APPLICATION_KEY, CLIENT_KEY, furnished
from lab.pterodactyl.web import PanelWeb

NAME = "play"


@contextlib.asynccontextmanager
async def panel_on_loopback(
    *, per_call_s: float = 2.0, install_s: float = 5.0
) -> AsyncIterator[tuple[PanelWeb, GamePeer]]:
    """Yield it and how it is called; its time goes on with every call."""
    panel = furnished(Clock(per_call_s), install_s=install_s)
    runner = web.AppRunner(panel.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        peer = GamePeer(
            name=NAME,
            provider="pterodactyl",
            url=f"http://127.0.0.1:{runner.addresses[0][1]}/",
            key=Secret(APPLICATION_KEY),
            client_key=Secret(CLIENT_KEY),
            tls=TrustSystem(),
        )
        yield panel, peer
    finally:
        await runner.cleanup()
