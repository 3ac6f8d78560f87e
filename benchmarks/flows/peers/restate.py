"""Drive Restate: its server and a Python service of one process, served by hypercorn."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp

from app.cli.demo.processes import Child, Processes, free_port
from app.core.errors import Refusal
from benchmarks import usage
from benchmarks.environment import RESTATE, RESTATE_SERVER, restate
from benchmarks.flows.documents import STEPS
from benchmarks.flows.peers.plan import Reached, Setting, reached
from benchmarks.flows.works import Works

NAME = "Restate"
VERSIONS = {
    "restate-server": RESTATE_SERVER,
    **dict(each.split("==") for each in RESTATE[:2]),
}
SETTINGS = tuple(Setting("call", at_once) for at_once in (32, 64, 200, 400))
START_S = 60.0
LOOK_S = 0.2
PROGRAMS = Path(__file__).parent / "programs"


class PeerFailed(Refusal):
    code = "bench.peer_failed"


class Restate:
    """A client of the server's ingress."""

    def __init__(
        self, session: aiohttp.ClientSession, url: str, works: Works, families: dict[str, int]
    ) -> None:
        self._session = session
        self._url = url
        self._works = works
        self._families = families

    async def many(self, flows: int, setting: Setting) -> Reached:
        free = asyncio.Semaphore(setting.at_once)

        async def one() -> None:
            async with free:
                await self._call()

        families = self._works.families(**self._families)
        before = usage.sample(families)
        began = time.perf_counter()
        await asyncio.gather(*(one() for _ in range(flows)))
        wall_s = time.perf_counter() - began
        return reached(flows * STEPS, wall_s, before, usage.sample(families))

    async def alone(self, times: int) -> list[float]:
        taken = []
        for _ in range(times):
            began = time.perf_counter()
            await self._call()
            taken.append(time.perf_counter() - began)
        return taken

    async def _call(self) -> None:
        async with self._session.post(f"{self._url}/flow/run", json=1) as response:
            body = await response.text()
            if response.status != 200 or body != str(STEPS):
                raise PeerFailed(f"Restate answered {response.status}: {body[:300]}")


@contextlib.asynccontextmanager
async def running(works: Works) -> AsyncIterator[Restate]:
    """Start server and service in a folder of their own, and end both with the block."""
    found = await restate()
    service, ingress, admin, node = (free_port() for _ in range(4))
    with tempfile.TemporaryDirectory(prefix="slipway-restate-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        processes = Processes(folder / "logs")
        try:
            serving = await processes.start(
                "service",
                [str(found.python), "-m", "hypercorn", "restate_service:app", "--workers", "1",
                 "--worker-class", "uvloop", "--bind", f"127.0.0.1:{service}"],
                {"TARGET_URL": works.target_url, "PYTHONPATH": str(PROGRAMS)},
            )  # fmt: skip
            server = await processes.start(
                "server",
                [str(found.server), "--base-dir", str(folder / "data"), "--no-logo"],
                {
                    "RESTATE_INGRESS__BIND_ADDRESS": f"127.0.0.1:{ingress}",
                    "RESTATE_ADMIN__BIND_ADDRESS": f"127.0.0.1:{admin}",
                    "RESTATE_BIND_ADDRESS": f"127.0.0.1:{node}",
                    "RESTATE_LISTEN_MODE": "tcp",
                    "RESTATE_DISABLE_TELEMETRY": "true",
                    "RESTATE_LOG_FILTER": "warn",
                },
            )
            async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as session:
                await _register(processes, server, session, admin, service)
                families = {"service": serving.process.pid, "server": server.process.pid}
                yield Restate(session, f"http://127.0.0.1:{ingress}", works, families)
        finally:
            await processes.stop()


async def _register(
    processes: Processes, server: Child, session: aiohttp.ClientSession, admin: int, service: int
) -> None:
    """Make the service known, as soon as both answer."""
    wanted = {"uri": f"http://127.0.0.1:{service}", "force": True}
    said = ""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(START_S):
            while True:
                processes.check(server)
                with contextlib.suppress(aiohttp.ClientError):
                    async with session.post(
                        f"http://127.0.0.1:{admin}/deployments", json=wanted
                    ) as response:
                        said = await response.text()
                        if response.status in (200, 201):
                            return
                await asyncio.sleep(LOOK_S)
    raise PeerFailed(f"Restate did not take its service: {said[:300]}\n{server.said()}")
