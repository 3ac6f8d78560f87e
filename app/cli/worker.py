"""`slipway worker`: the process that runs flows and periodic jobs."""

import asyncio
import contextlib
import gc
import signal

import click
import uvloop

from app.cli.database import bring_up_to_date
from app.core.live import DOORBELLS
from app.core.logs import configure_logs
from app.flows.plug_ins import tell_faults
from app.resources import open_resources, start_servers
from app.settings import Settings, load_settings
from app.worker import run_worker


@click.command()
def worker() -> None:
    """Run flows, relay the outbox and do what is due; start as many as you like."""
    uvloop.run(_work(load_settings()))


async def _work(settings: Settings) -> None:
    configure_logs(settings.log_format)
    tell_faults()
    # A step makes many small objects and no cycles: collecting as often as Python does by itself
    # takes a third of a worker's time.
    gc.set_threshold(50_000, 20, 50)
    servers = start_servers(settings)
    try:
        async with open_resources(settings, servers, hears=DOORBELLS) as resources:
            await bring_up_to_date(settings, servers, resources.database)
            work = asyncio.create_task(run_worker(resources, servers))
            loop = asyncio.get_running_loop()
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.add_signal_handler(number, work.cancel)
            with contextlib.suppress(asyncio.CancelledError):
                await work
    finally:
        servers.stop()
