"""Servers, the target and workers for a measurement, and runs started on them as others would."""

import asyncio
import contextlib
import os
import signal
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import aiohttp
import msgspec

from app.cli.demo.processes import Child, Processes, free_port
from app.core.database import Database, Tx
from app.core.errors import Refusal
from app.core.live import Live
from app.core.migrate import migrate
from app.flows.document import Document
from app.flows.publish import publish
from app.flows.start import start_flow
from app.resources import Servers, open_redis, start_servers
from app.settings import Settings
from benchmarks import usage
from benchmarks.flows import documents, package
from benchmarks.flows.nodes import Memory

START_S = 60.0
LOOK_S = 0.1
ALONE_LOOK_S = 0.002
AWAKE_RUNS = 8
MEMORY_FLOW = "bench-memory"
DONE = ("succeeded", "failed", "cancelled")


class NotFinished(Refusal):
    code = "bench.not_finished"


class Batch(msgspec.Struct, frozen=True):
    """Runs that were started by one commit, at `at`."""

    runs: list[UUID]
    at: datetime


@dataclass
class Worker:
    child: Child

    @property
    def pid(self) -> int:
        return self.child.process.pid

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)


@dataclass
class Works:
    """Everything that runs for a measurement. `environment` is that of the workers."""

    folder: Path
    servers: Servers
    database: Database
    processes: Processes
    target: Child
    target_url: str
    environment: dict[str, str]
    workers: list[Worker] = field(default_factory=list)
    started: int = 0

    async def hire(self, count: int = 1, **settings: str) -> list[Worker]:
        """Start worker processes and wait until each has done a step."""
        hired = [await self._worker(settings) for _ in range(count)]
        await self.publish(documents.memory(MEMORY_FLOW))
        awake: set[int] = set()
        deadline = time.monotonic() + START_S
        while not awake >= {worker.pid for worker in hired}:
            for worker in hired:
                self.processes.check(worker.child)
            if time.monotonic() > deadline:
                raise NotFinished(f"Not every worker has done a step; {await self.story()}")
            awake |= {found.pid for found in await self._look_around(AWAKE_RUNS * count)}
        return hired

    async def _worker(self, settings: Mapping[str, str]) -> Worker:
        name = f"worker-{self.started}"
        self.started += 1
        command = [sys.executable, "-m", "app.cli", "worker"]
        child = await self.processes.start(name, command, {**self.environment, **settings})
        worker = Worker(child)
        self.workers.append(worker)
        return worker

    async def dismiss(self, *workers: Worker) -> None:
        """End the workers, all when none is named."""
        for worker in workers or tuple(self.workers):
            with contextlib.suppress(ProcessLookupError):
                worker.child.process.terminate()
            await worker.child.process.wait()
            self.workers.remove(worker)

    async def memory(self, worker: Worker) -> int:
        """Return the worker's resident bytes after a collection. No other may be at work."""
        return next(
            found.rss_bytes for found in await self._look_around(1) if found.pid == worker.pid
        )

    async def _look_around(self, runs: int) -> list[Memory]:
        batch = await self.start(MEMORY_FLOW, runs)
        await self.finish(batch, limit_s=START_S)
        async with self.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT output FROM step_attempt WHERE run = ANY($1) AND node = 'look'", batch.runs
            )
        return [msgspec.json.decode(row["output"], type=Memory) for row in rows]

    async def publish(self, document: Document) -> None:
        async with self.database.transaction() as tx:
            await publish(tx, document, note="benchmark")

    async def start(self, flow: str, count: int, **data: Any) -> Batch:
        """Start so many runs in one transaction."""
        return await self.start_all([flow] * count, **data)

    async def start_all(self, flows: Sequence[str], **data: Any) -> Batch:
        """Start a run of each in one transaction."""
        async with self.database.transaction() as tx:
            runs = [await self._start(tx, flow, data) for flow in flows]
            at = tx.now()
        return Batch(runs, at)

    async def _start(self, tx: Tx, flow: str, data: Mapping[str, Any]) -> UUID:
        self.started += 1
        key = f"bench:{self.started}"
        return await start_flow(tx, flow, data={"n": 1, **data}, dedup_key=key)

    async def finish(self, batch: Batch, *, limit_s: float) -> float:
        """Wait for the end of all; return the seconds from the start's commit to the last end.

        Raises NotFinished when one did not succeed or the time is over.
        """
        deadline = time.monotonic() + limit_s
        while await self.left(batch):
            if time.monotonic() > deadline:
                raise NotFinished(f"Not all runs ended in {limit_s:.0f} s; {await self.story()}")
            await asyncio.sleep(LOOK_S)
        async with self.database.snapshot() as tx:
            row = await tx.fetchrow(
                "SELECT max(finished_at) AS at, min(error) FILTER (WHERE status <> 'succeeded') "
                "AS error, count(*) FILTER (WHERE status <> 'succeeded') AS bad "
                "FROM run WHERE id = ANY($1)",
                batch.runs,
            )
        if row is None or row["bad"]:
            raise NotFinished(f"A run did not succeed: {row and row['error']}")
        return float((row["at"] - batch.at).total_seconds())

    async def left(self, batch: Batch) -> int:
        """Return how many have not ended; a short look, so that looking costs little."""
        async with self.database.snapshot() as tx:
            count: int = await tx.fetchval(
                "SELECT count(*) FROM run WHERE id = ANY($1) AND finished_at IS NULL "
                "AND status <> 'halted'",
                batch.runs,
            )
        return count

    async def alone(self, flow: str) -> float:
        """Return the seconds of one run, from before its start to the moment it is seen ended."""
        began = time.perf_counter()
        run = (await self.start(flow, 1)).runs[0]
        async with self.database.snapshot() as tx:
            while time.perf_counter() - began < START_S:
                if await tx.fetchval("SELECT finished_at FROM run WHERE id = $1", run):
                    return time.perf_counter() - began
                await asyncio.sleep(ALONE_LOOK_S)
        raise NotFinished(f"One run alone did not end; {await self.story()}")

    async def story(self) -> str:
        """Return how many runs are in which state, and the last words of the workers."""
        async with self.database.snapshot() as tx:
            rows = await tx.fetch("SELECT status, count(*) AS n FROM run GROUP BY 1 ORDER BY 1")
        states = ", ".join(f"{row['n']} {row['status']}" for row in rows)
        said = "\n".join(worker.child.said() for worker in self.workers)
        return f"runs: {states}\n{said}"

    async def counts(self) -> dict[str, int]:
        """Return how often the target was called under each key."""
        return msgspec.json.decode(await self._ask("/counts"), type=dict[str, int])

    async def forget(self) -> None:
        await self._ask("/forget")

    async def _ask(self, path: str) -> bytes:
        async with (
            aiohttp.ClientSession() as session,
            session.get(f"{self.target_url}{path}") as response,
        ):
            return await response.read()

    def families(self, **more: int) -> dict[str, int]:
        """Return the first process of each part, for `usage.sample`."""
        found = {f"worker {number}": each.pid for number, each in enumerate(self.workers, 1)}
        found["postgres"] = usage.postmaster(self.folder / "postgres")
        return {**found, **more, "target": self.target.process.pid, "benchmark": os.getpid()}


@contextlib.asynccontextmanager
async def works() -> AsyncIterator[Works]:
    """Start embedded servers and the target in a temporary folder; end all with the block."""
    with tempfile.TemporaryDirectory(prefix="slipway-flows-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        async with contextlib.AsyncExitStack() as stack:
            settings = Settings(_env_file=None, data_dir=folder, database_url="", redis_url="")
            servers = start_servers(settings)
            stack.callback(servers.stop)
            await migrate(servers.database_url)
            redis = open_redis(servers.redis_url)
            stack.push_async_callback(redis.aclose)
            database = Database(after_commit=Live(redis).publish)
            await database.open(servers.database_url, max_size=4)
            stack.push_async_callback(database.close)
            processes = Processes(folder / "logs")
            stack.push_async_callback(processes.stop)
            target, url = await _target(processes)
            environment = package.install(folder / "package") | {
                "DATABASE_URL": servers.database_url,
                "REDIS_URL": servers.redis_url,
                "SLIPWAY_ENV_FILE": "",
                "SLIPWAY_EGRESS_ALLOW": "127.0.0.0/8",
                "SLIPWAY_DATA_DIR": str(folder),
            }
            yield Works(folder, servers, database, processes, target, url, environment)


async def _target(processes: Processes) -> tuple[Child, str]:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.flows.target", str(port)]
    child = await processes.start("target", command)
    url = f"http://127.0.0.1:{port}"
    await processes.until_ready(child, f"{url}/readyz", timeout_s=START_S)
    return child, url
