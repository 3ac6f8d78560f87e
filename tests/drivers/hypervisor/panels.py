"""Stand-ins of panels, served on loopback, and the peers that they are."""

import contextlib
import time
from collections.abc import AsyncIterator, Callable

from aiohttp import web

from app.drivers.hypervisor.contract import HypervisorPeer
from app.drivers.secret import Secret
from app.drivers.tls import TrustSystem
from lab.solusvm1.panel import Panel as SolusVm1Panel
from lab.solusvm1.web import SolusVm1Web
from lab.solusvm2.panel import Panel as SolusVm2Panel
from lab.solusvm2.web import SolusVm2Web
from lab.virtualizor.panel import Panel as VirtualizorPanel
from lab.virtualizor.web import VirtualizorWeb

TOKEN = "fit-for-a-stand-in-2f6b"
KEY = "an-api-key-7d31"
FAST = 500.0


def fast_clock() -> float:
    """Return a time that runs so fast that tasks of seconds take milliseconds."""
    return time.monotonic() * FAST


@contextlib.asynccontextmanager
async def served(app: web.Application) -> AsyncIterator[str]:
    """Serve it; yields its address."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextlib.asynccontextmanager
async def solusvm2(
    clock: Callable[[], float] = fast_clock, *, task_s: float = 5.0, name: str = "solus"
) -> AsyncIterator[tuple[SolusVm2Web, HypervisorPeer]]:
    standin = SolusVm2Web(SolusVm2Panel(clock, task_s=task_s), TOKEN)
    async with served(standin.application()) as url:
        yield standin, HypervisorPeer(
            name=name, provider="solusvm2", url=url, username="", secret=Secret(TOKEN),
            tls=TrustSystem(),
        )  # fmt: skip


@contextlib.asynccontextmanager
async def virtualizor(
    clock: Callable[[], float] = fast_clock, *, task_s: float = 5.0, name: str = "virt"
) -> AsyncIterator[tuple[VirtualizorWeb, HypervisorPeer]]:
    standin = VirtualizorWeb(VirtualizorPanel(clock, task_s), KEY, TOKEN)
    async with served(standin.application()) as url:
        yield standin, HypervisorPeer(
            name=name, provider="virtualizor", url=url, username=KEY, secret=Secret(TOKEN),
            tls=TrustSystem(),
        )  # fmt: skip


@contextlib.asynccontextmanager
async def solusvm1(
    clock: Callable[[], float] = fast_clock, *, task_s: float = 5.0, name: str = "solus1"
) -> AsyncIterator[tuple[SolusVm1Web, HypervisorPeer]]:
    standin = SolusVm1Web(SolusVm1Panel(clock, task_s), KEY, TOKEN)
    async with served(standin.application()) as url:
        yield standin, HypervisorPeer(
            name=name, provider="solusvm1", url=url, username=KEY, secret=Secret(TOKEN),
            tls=TrustSystem(), virt="kvm",
        )  # fmt: skip
