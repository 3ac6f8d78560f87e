"""Drive DBOS: its worker in a process, its tables in a database beside ours on one server."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import msgspec

from app.core.errors import Refusal
from benchmarks import usage
from benchmarks.environment import DBOS, dbos_python
from benchmarks.flows.documents import STEPS
from benchmarks.flows.peers.plan import Reached, Setting, reached
from benchmarks.flows.works import Works

NAME = "DBOS"
DATABASE = "dbos_bench"
VERSIONS = {"dbos": DBOS[0].partition("==")[2]}
SETTINGS = (
    Setting("start", 32), Setting("start", 100), Setting("queue", 64), Setting("queue", 0),
)  # fmt: skip
LIMIT_S = 300.0
SCRIPT = Path(__file__).parent / "programs" / "dbos_worker.py"


class PeerFailed(Refusal):
    code = "bench.peer_failed"


class Dbos:
    """A worker that obeys."""

    def __init__(self, process: asyncio.subprocess.Process, works: Works) -> None:
        self._process = process
        self._works = works

    async def many(self, flows: int, setting: Setting) -> Reached:
        order = {"flows": flows, "how": setting.how, "at_once": setting.at_once}
        families = self._works.families(dbos=self._process.pid)
        before = usage.sample(families)
        (wall_s,) = await self._obey(order)
        return reached(flows * STEPS, wall_s, before, usage.sample(families))

    async def alone(self, times: int) -> list[float]:
        return await self._obey({"alone": times})

    async def _obey(self, order: dict[str, object]) -> list[float]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(msgspec.json.encode(order) + b"\n")
        async with asyncio.timeout(LIMIT_S):
            line = await self._process.stdout.readline()
        if not line:
            raise PeerFailed("DBOS's worker ended; its last words are above.")
        seconds: list[float] = msgspec.json.decode(line)["seconds"]
        return seconds


@contextlib.asynccontextmanager
async def running(works: Works) -> AsyncIterator[Dbos]:
    """Start DBOS's worker, warm it up with nothing, and end it with the block."""
    python = await dbos_python()
    url = await _database(works.servers.database_url)
    process = await asyncio.create_subprocess_exec(
        *(str(python), str(SCRIPT), url, works.target_url),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield Dbos(process, works)
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def _database(url: str) -> str:
    """Return the URL of a database of its own, made anew."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    parts = urlsplit(url)
    return urlunsplit(parts._replace(path=f"/{DATABASE}"))
