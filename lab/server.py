"""The lab's process from start to signal."""

import asyncio
import signal

import click
from aiohttp import web

from lab.datacentre import Datacentre, LabDown, Wanted
from lab.store import Store
from lab.web import LabWeb

HOST = "127.0.0.1"


async def serve(wanted: Wanted, store: Store) -> None:
    """Run until a signal; raise LabDown when a part cannot start or fails."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    lab = Datacentre(wanted, store)
    runner = web.AppRunner(LabWeb(lab).application(), access_log=None, shutdown_timeout=1.0)
    try:
        await lab.start()
        await runner.setup()
        site = web.TCPSite(runner, HOST, wanted.port)
        try:
            await site.start()
        except OSError as problem:
            raise LabDown(
                f"The web port {wanted.port} cannot be used ({problem.strerror}). "
                "Give another --port, or 0 for a free one."
            ) from None
        url = f"http://{HOST}:{runner.addresses[0][1]}"
        lab.publish(url)
        click.echo(f"lab ready {url}")
        await _wait(lab, stopping)
    finally:
        await runner.cleanup()
        await lab.stop()


async def _wait(lab: Datacentre, stopping: asyncio.Event) -> None:
    """Return when a signal came; raise LabDown when a part fails."""
    failed = asyncio.create_task(lab.failed())
    stopped = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({failed, stopped}, return_when=asyncio.FIRST_COMPLETED)
        if failed.done() and not stopped.done():
            raise LabDown(failed.result())
    finally:
        for task in (failed, stopped):
            task.cancel()
        await asyncio.gather(failed, stopped, return_exceptions=True)
