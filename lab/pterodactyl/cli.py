"""The `python -m lab.pterodactyl` command."""

import asyncio
import signal
import time

import click
from aiohttp import web

from lab.pterodactyl.clock import Clock
from lab.pterodactyl.furnish import APPLICATION_KEY, CLIENT_KEY, furnished

HOST = "127.0.0.1"


class WallClock(Clock):
    """Time as it goes by; what `advance` adds comes on top."""

    def __init__(self) -> None:
        super().__init__()
        self._began_s = time.monotonic()
        self._added_s = 0.0

    def tick(self) -> None:
        self.now_s = time.monotonic() - self._began_s + self._added_s

    def advance(self, seconds: float) -> None:
        self._added_s += seconds
        self.tick()


@click.command()
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Web port; 0: a free one.")
@click.option("--install-s", type=float, default=5.0, show_default=True,
              help="How long an installation takes.")  # fmt: skip
def main(port: int, install_s: float) -> None:
    """Run a stand-in of the Pterodactyl panel until SIGTERM or SIGINT."""
    asyncio.run(_serve(port, install_s))


async def _serve(port: int, install_s: float) -> None:
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    panel = furnished(WallClock(), install_s=install_s)
    runner = web.AppRunner(panel.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, HOST, port).start()
        click.echo(f"pterodactyl ready http://{HOST}:{runner.addresses[0][1]}")
        click.echo(f"application key {APPLICATION_KEY}")
        click.echo(f"client key {CLIENT_KEY}")
        await stopping.wait()
    finally:
        await runner.cleanup()
