"""The process from start to signal: localstripe, its webhook, and the web server."""

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import click
from aiohttp import web

from lab.payments.account import Keys, publish, withdraw
from lab.payments.checkout import Checkout
from lab.payments.relay import Mode, Relay
from lab.payments.web import PaymentsWeb

HOST = "127.0.0.1"
START_S = 30.0
STOP_S = 5.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What `serve` was asked for; port 0 means a free one."""

    folder: Path
    port: int
    webhook_url: str
    webhook_secret: str
    webhooks: Mode


class PaymentsDown(Exception):
    """Payments cannot start or go on; the message says why."""


async def serve(wanted: Wanted, keys: Keys) -> None:
    """Run until a signal; raise PaymentsDown when a part cannot start or ends by itself."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    async with contextlib.AsyncExitStack() as parts:
        peer, api_url = await parts.enter_async_context(_localstripe(wanted.folder))
        checkout = Checkout(api_url, keys)
        parts.push_async_callback(checkout.close)
        relay = Relay(wanted.webhook_url, mode=wanted.webhooks, paid_at=checkout.paid_at.get)
        parts.push_async_callback(relay.close)
        url = await parts.enter_async_context(_listening(checkout, relay, wanted.port))
        await _register(api_url, f"{url}/relay", wanted.webhook_secret)
        publish(wanted.folder, keys, url=url, api_url=api_url, webhook_secret=wanted.webhook_secret)
        parts.callback(withdraw, wanted.folder)
        click.echo(f"payments ready {url}")
        await _wait(peer, stopping)


@contextlib.asynccontextmanager
async def _localstripe(folder: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, str]]:
    """Run localstripe; yields its process and address, and ends it."""
    peer = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "lab.payments.peer", str(folder.resolve())),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        start_new_session=True,  # a Ctrl-C in the terminal reaches it through us only
    )
    try:
        yield peer, await _address(peer)
    finally:
        if peer.returncode is None:
            peer.terminate()
            try:
                async with asyncio.timeout(STOP_S):
                    await peer.wait()
            except TimeoutError:
                peer.kill()
                await peer.wait()


async def _address(peer: asyncio.subprocess.Process) -> str:
    assert peer.stdout is not None  # noqa: S101 - it was asked for
    try:
        async with asyncio.timeout(START_S):
            said = (await peer.stdout.readline()).split()
    except TimeoutError:
        raise PaymentsDown(f"localstripe did not start within {START_S:g} s.") from None
    if said[:1] != [b"listening"]:
        raise PaymentsDown("localstripe did not start; what it said is above.")
    return f"http://{HOST}:{int(said[1])}"


@contextlib.asynccontextmanager
async def _listening(checkout: Checkout, relay: Relay, port: int) -> AsyncIterator[str]:
    app = PaymentsWeb(checkout, relay).application()
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        try:
            await web.TCPSite(runner, HOST, port).start()
        except OSError as problem:
            raise PaymentsDown(
                f"The port {port} cannot be used ({problem.strerror}). "
                "Give another --port, or 0 for a free one."
            ) from None
        yield f"http://{HOST}:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


async def _register(api_url: str, url: str, secret: str) -> None:
    """Have localstripe send every event to `url`; it forgets this when it ends."""
    webhook = {"url": url, "secret": secret}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{api_url}/_config/webhooks/slipway", json=webhook) as answer,
    ):
        if answer.status != 200:
            raise PaymentsDown(f"localstripe did not take the webhook: {await answer.text()}")


async def _wait(peer: asyncio.subprocess.Process, stopping: asyncio.Event) -> None:
    """Return when a signal came; raise PaymentsDown when localstripe ends by itself."""
    ended = asyncio.create_task(peer.wait())
    stopped = asyncio.create_task(stopping.wait())
    await asyncio.wait({ended, stopped}, return_when=asyncio.FIRST_COMPLETED)
    for task in (ended, stopped):
        task.cancel()
    await asyncio.gather(ended, stopped, return_exceptions=True)
    if not stopping.is_set():
        raise PaymentsDown(f"localstripe ended by itself with status {peer.returncode}.")
