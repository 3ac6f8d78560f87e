"""Workers as they run for a provider: processes, on servers of their own, calling a target."""

import asyncio
import contextlib
import itertools
import os
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from aiohttp import web
from redis.asyncio import Redis

from app.cli.demo.processes import Child, Processes
from app.core.database import Database
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.embedded.redis import EmbeddedRedis
from app.core.ids import new_id
from app.core.live import Live
from app.core.migrate import migrate
from app.flows.document import Document, NodeSpec, Retry
from app.flows.publish import publish
from app.flows.start import start_flow
from tests.databases import copy_database
from tests.drivers.process import free_port
from tests.flows.processes.world import World
from tests.forked import forking
from tests.services.hall import LIVE

LEASE_S = 1.5
TEMPLATE = "yard_template"
LIMIT_S = 60.0
HIRED_S = 180.0
"""A worker that comes to hundreds of runs has these to begin with."""
WORLD_LEASE_S = 8.0
"""As long as a worker with hundreds of runs may be busy and not lose one to another."""
LIVE_SYSTEM = {
    "SLIPWAY_LIVE_KERNEL_URL": LIVE.kernel_url,
    "SLIPWAY_LIVE_INITRD_URL": LIVE.initrd_url,
    "SLIPWAY_LIVE_IMAGE_URL": LIVE.image_url,
    "SLIPWAY_IPXE_EFI_PATH": "/usr/lib/ipxe/ipxe.efi",
}
OVER = ("succeeded", "failed", "cancelled", "halted")


@dataclass
class Target:
    """What the steps call: counts the calls under each key."""

    url: str = ""
    counts: Counter[str] = field(default_factory=Counter)
    delay_s: float = 0.0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """What calls with `?hold=1` wait for."""

    async def call(self, request: web.Request) -> web.Response:
        self.counts[request.headers["Idempotency-Key"]] += 1
        await asyncio.sleep(self.delay_s)
        if request.query.get("hold"):
            await self.gate.wait()
        return web.json_response({"n": len(self.counts)})


@dataclass
class Yard:
    """Servers, workers and what they call."""

    postgres: EmbeddedPostgres
    database: Database
    redis_server: EmbeddedRedis
    redis: Redis
    target: Target
    processes: Processes
    environment: dict[str, str]
    workers: list[Child] = field(default_factory=list)

    async def hire(self, count: int = 1, *, world: World | None = None) -> list[Child]:
        """Start workers and wait until one is at work; in a `world`, those of `worker.py`."""
        command = [sys.executable, "-m", "app.cli", "worker"]
        environment = self.environment
        if world is not None:
            command[-2:] = ["tests.flows.processes.worker"]
            own = {
                "WORLD_URL": world.url,
                "WORLD_FOLDER": str(world.folder),
                "SLIPWAY_LEASE_S": str(WORLD_LEASE_S),
            }
            environment = environment | own | LIVE_SYSTEM
        hired = [
            await self.processes.start(f"worker-{new_id().hex[-6:]}", command, environment)
            for _ in range(count)
        ]
        self.workers += hired
        await self.publish(
            chain("awake", NodeSpec(type="data.set", params={"variables": {"a": 1}}))
        )
        run = await self.start("awake")
        await self.until(lambda: self.is_over([run]), within_s=HIRED_S)
        return hired

    async def publish(self, document: Document) -> None:
        async with self.database.transaction() as tx:
            await publish(tx, document, note="test")

    async def start(self, flow: str) -> UUID:
        async with self.database.transaction() as tx:
            return await start_flow(tx, flow, data={}, dedup_key=str(new_id()))

    async def fetch(self, sql: str, *values: Any) -> list[Any]:
        async with self.database.snapshot() as tx:
            return await tx.fetch(sql, *values)

    async def is_over(self, runs: list[UUID]) -> bool:
        rows = await self.fetch("SELECT status FROM run WHERE id = ANY($1)", runs)
        return all(row["status"] in OVER for row in rows)

    async def statuses(self, runs: list[UUID]) -> Counter[str]:
        rows = await self.fetch("SELECT status FROM run WHERE id = ANY($1)", runs)
        return Counter(row["status"] for row in rows)

    async def journaled(self, runs: list[UUID]) -> dict[str, Any]:
        """Return when each step that is done was, by its key."""
        rows = await self.fetch(
            "SELECT idempotency_key, finished_at FROM step_attempt WHERE run = ANY($1) "
            "AND status = 'succeeded' AND type = 'action.http'",
            runs,
        )
        return {row["idempotency_key"]: row["finished_at"] for row in rows}

    async def until(
        self,
        holds: Callable[[], Awaitable[bool]],
        *,
        within_s: float = LIMIT_S,
        every_s: float = 0.05,
    ) -> None:
        """Wait until it holds, PostgreSQL away or not; look `every_s`."""
        async with asyncio.timeout(within_s):
            while True:
                with contextlib.suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                    if await holds():
                        return
                await asyncio.sleep(every_s)

    async def dismiss(self) -> None:
        for child in self.workers:
            with contextlib.suppress(ProcessLookupError):
                os.kill(child.process.pid, signal.SIGKILL)
            await child.process.wait()
        self.workers.clear()


def chain(flow: str, *steps: NodeSpec) -> Document:
    names = ["begin", *(f"s{number}" for number in range(1, len(steps) + 1))]
    nodes = dict(zip(names, (NodeSpec(type="trigger.manual"), *steps), strict=True))
    edges = tuple((f"{a}.out", f"{b}.in") for a, b in itertools.pairwise(names))
    return Document(flow=flow, nodes=nodes, edges=edges)


def call(target: Target, *, policy: str | None = None, hold: bool = False) -> NodeSpec:
    params: dict[str, Any] = {
        "url": f"{target.url}/call",
        "idempotency_key": "Idempotency-Key",
        "query": {"hold": "1"} if hold else {},
    }
    retry = Retry(max=5, delay="200ms", jitter=False)
    return NodeSpec(type="action.http", params=params, idempotency=policy, retry=retry)


@dataclass(frozen=True)
class Servers:
    """What takes seconds to start, and serves one test after another."""

    folder: Path
    postgres: EmbeddedPostgres
    redis_server: EmbeddedRedis
    target: Target
    processes: Processes


@pytest.fixture(scope="package")
async def servers() -> AsyncIterator[Servers]:
    """Gone with the last test."""
    async with contextlib.AsyncExitStack() as stack:
        name = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="slipway-flows-", ignore_cleanup_errors=True)
        )
        folder = Path(name)
        stack.enter_context(forking())
        postgres = EmbeddedPostgres(folder)
        stack.callback(postgres.stop)
        redis_server = EmbeddedRedis(folder)
        stack.callback(redis_server.stop)
        await migrate(await copy_database(postgres.dsn, TEMPLATE))
        target = Target()
        app = web.Application()
        app.router.add_get("/call", target.call)
        runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await runner.setup()
        stack.push_async_callback(runner.cleanup)
        port = free_port()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        target.url = f"http://127.0.0.1:{port}"
        processes = Processes(folder / "logs")
        stack.push_async_callback(processes.stop)
        yield Servers(folder, postgres, redis_server, target, processes)


@pytest.fixture
async def yard(servers: Servers) -> AsyncIterator[Yard]:
    """As new: nothing that another test, or a first try of this one, left behind is there."""
    target = servers.target
    target.counts.clear()
    target.gate.clear()
    target.delay_s = 0.0
    async with contextlib.AsyncExitStack() as stack:
        redis = Redis.from_url(servers.redis_server.url)
        stack.push_async_callback(redis.aclose)
        await redis.flushall()
        dsn = await copy_database(servers.postgres.dsn, "yard", template=TEMPLATE)
        database = Database(after_commit=Live(redis).publish)
        await database.open(dsn, max_size=4)
        stack.push_async_callback(database.close)
        environment = {
            "DATABASE_URL": dsn,
            "REDIS_URL": servers.redis_server.url,
            "SLIPWAY_ENV_FILE": "",
            "SLIPWAY_EGRESS_ALLOW": "127.0.0.0/8",
            "SLIPWAY_DATA_DIR": str(servers.folder),
            "SLIPWAY_LEASE_S": str(LEASE_S),
        }
        yard = Yard(
            servers.postgres, database, servers.redis_server, redis, target, servers.processes,
            environment,
        )  # fmt: skip
        stack.push_async_callback(yard.dismiss)
        stack.callback(target.gate.set)
        yield yard
