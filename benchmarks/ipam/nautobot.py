"""A Nautobot to be measured: its own uWSGI with two processes, its tables beside ours."""

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import msgspec

from app.cli.demo.processes import free_port
from app.resources import Servers
from benchmarks.environment import PeerFailed, nautobot_python, told
from benchmarks.report import say

DATABASE = "nautobot"
TOKEN = "0123456789abcdef" * 2 + "01234567"
PREPARE_S = 900.0
START_S = 180.0
PROGRAMS = Path(__file__).parent / "programs"
# As its documentation has it, with as many processes as the machine has cores.
SERVER = """[uwsgi]
http11-socket = 127.0.0.1:{port}
master = true
processes = 2
threads = 4
enable-threads = true
single-interpreter = true
lazy-apps = true
so-keepalive = true
die-on-term = true
disable-logging = true
need-app = true
buffer-size = 16384
"""


class Nautobot(msgspec.Struct, frozen=True):
    """Where it answers, and the paths of `available-ips` of the prefixes, in order."""

    url: str
    paths: tuple[str, ...]


@contextlib.asynccontextmanager
async def running(
    servers: Servers, folder: Path, networks: Sequence[tuple[str, int]]
) -> AsyncIterator[Nautobot]:
    """Migrate it, fill `networks` so far, serve, and end it with the block. Raises PeerMissing."""
    python = await nautobot_python()
    folder.mkdir(parents=True)
    environment = os.environ | await _settings(servers) | {"NAUTOBOT_ROOT": str(folder)}
    command = (str(python.parent / "nautobot-server"), "-c", environment["NAUTOBOT_CONFIG"])
    say("Preparing Nautobot: its migrations take a minute or more…")
    migrate = (*command, "migrate", "--no-input", "--verbosity", "0")
    await told(migrate, PREPARE_S, environment)
    wanted = msgspec.json.encode(list(networks)).decode()
    fill = (str(python), str(PROGRAMS / "nautobot_fill.py"), wanted, TOKEN)
    ids = msgspec.json.decode(
        (await told(fill, PREPARE_S, environment)).splitlines()[-1], type=list[str]
    )
    port = free_port()
    (folder / "uwsgi.ini").write_text(SERVER.format(port=port))
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *(*command, "start", "--ini", str(folder / "uwsgi.ini")),
            env=environment, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _ready(process, url, folder / "server.log")
        yield Nautobot(url, tuple(f"/api/ipam/prefixes/{each}/available-ips/" for each in ids))
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


async def _settings(servers: Servers) -> dict[str, str]:
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    parts = urlsplit(servers.database_url)
    return {
        "NAUTOBOT_CONFIG": str(PROGRAMS / "nautobot_config.py"),
        "BENCH_DATABASE": DATABASE,
        "BENCH_DATABASE_USER": parts.username or "postgres",
        "BENCH_DATABASE_HOST": parse_qs(parts.query).get("host", [parts.hostname or ""])[0],
        "BENCH_REDIS": f"{servers.redis_url.partition('?')[0]}?db=7",
        "BENCH_SECRET": TOKEN,
    }


async def _ready(process: asyncio.subprocess.Process, url: str, log: Path) -> None:
    async with asyncio.timeout(START_S), httpx.AsyncClient() as client:
        while True:
            if process.returncode is not None:
                raise PeerFailed(log.read_text(errors="replace")[-2_000:])
            with contextlib.suppress(httpx.TransportError):
                if (await client.get(f"{url}/health/", timeout=30)).status_code == 200:
                    return
            await asyncio.sleep(0.5)
