"""What every test may use: one embedded PostgreSQL and Redis for the whole run."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
from hypothesis import HealthCheck, settings
from redis.asyncio import Redis

os.environ.setdefault("SLIPWAY_ENV_FILE", "")

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.embedded.redis import EmbeddedRedis
from app.core.migrate import migrate
from app.core.secrets import Vault, new_key

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)  # 2 AM, when nobody wants to be paged

settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("suite")


@pytest.fixture(scope="session")
def data_dir() -> Iterator[Path]:
    """Not below pytest's own folder: that is closed to the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="slipway-test-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(data_dir: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(data_dir)
    hurry(server.dsn)
    yield server
    server.stop()


def hurry(dsn: str) -> None:
    """Let the test server skip the disk: a power cut during the tests loses nothing of value."""

    async def alter() -> None:
        connection = await asyncpg.connect(dsn)
        for name in ("fsync", "full_page_writes", "synchronous_commit"):
            await connection.execute(f"ALTER SYSTEM SET {name} = off")
        await connection.execute("SELECT pg_reload_conf()")
        await connection.close()

    asyncio.run(alter())


@pytest.fixture(scope="session")
def redis_server(data_dir: Path) -> Iterator[EmbeddedRedis]:
    server = EmbeddedRedis(data_dir)
    yield server
    server.stop()


async def _new_database(dsn: str, name: str, *, template: str | None = None) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        copy = f" TEMPLATE {template} STRATEGY file_copy" if template else ""
        await connection.execute(f"CREATE DATABASE {name}{copy}")
    finally:
        await connection.close()
    return dsn.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="session")
async def template_database(postgres: EmbeddedPostgres) -> str:
    """A migrated database that each test's own is copied from."""
    dsn = await _new_database(postgres.dsn, "slipway_template")
    await migrate(dsn)
    return "slipway_template"


@pytest.fixture
async def dsn(
    postgres: EmbeddedPostgres, template_database: str, request: pytest.FixtureRequest
) -> AsyncIterator[str]:
    """The address of a fresh, migrated, empty database."""
    name = f"test_{os.getpid()}_{abs(hash(request.node.nodeid)) % 10**12}"
    yield await _new_database(postgres.dsn, name, template=template_database)
    connection = await asyncpg.connect(postgres.dsn)
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START)


@pytest.fixture
async def database(dsn: str, clock: SetClock) -> AsyncIterator[Database]:
    """An open database of the test's own; its clock stands still."""
    database = Database(clock)
    await database.open(dsn)
    yield database
    await database.close()


@pytest.fixture
async def tx(database: Database) -> AsyncIterator[Tx]:
    """An open transaction, committed when the test ends well."""
    async with database.transaction() as tx:
        yield tx


@pytest.fixture
async def redis(redis_server: EmbeddedRedis) -> AsyncIterator[Redis]:
    """An empty Redis."""
    client = Redis.from_url(redis_server.url)
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def vault() -> Vault:
    return Vault([new_key()])
