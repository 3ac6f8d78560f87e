"""What every test may use: one embedded PostgreSQL and Redis for the whole run."""

import asyncio
import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, settings
from playwright.async_api import Browser, BrowserContext
from redis.asyncio import Redis
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

os.environ.setdefault("SLIPWAY_ENV_FILE", "")

from app.cli.assets import build_assets
from app.core import live
from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.embedded.redis import EmbeddedRedis
from app.core.migrate import migrate
from app.core.secrets import Vault, new_key
from app.domain.accounts import passwords
from tests.chromium import UNTIL_S, Contexts, chromium
from tests.databases import Databases, copy_database

START = datetime(2026, 3, 1, 2, 0, tzinfo=UTC)  # 2 AM, when nobody wants to be paged

settings.register_profile(
    "suite", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
settings.load_profile("suite")

JOURNEY_LIMIT_S = 600
# Folders whose tests share something costly, or something that there is one of on a machine.
TOGETHER = {"journeys": "machines", "lab": "machines", "metal": "metal", "payments": "payments"}


class ByFile(LoadScopeScheduling):
    """Give each worker whole files, in order, and what must stay together as one."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        folder = path.removeprefix("tests/").split("/", 1)[0]
        return TOGETHER.get(folder, path)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ByFile:
    return ByFile(config, log)


# Real browsers, and real processes that are killed: on a busy machine one in some thousands is late.
TIMED = ("journeys", "lab", "flows/processes")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The journeys take longest by far, so that they come first.

    What the machine's load may upset gets a second try, which the closing line counts
    (docs/rfd/0013-second-try.md).
    """
    for item in items:
        if _is_journey(item):
            item.add_marker(pytest.mark.timeout(JOURNEY_LIMIT_S))
        if _is_timed(item):
            item.add_marker(pytest.mark.flaky(reruns=1))
    items.sort(key=lambda item: not _is_journey(item))  # keeps the order otherwise


def pytest_collection_finish() -> None:
    """What is loaded by now stays: no collection of garbage need look at it again."""
    gc.collect()
    gc.freeze()


def _is_timed(item: pytest.Item) -> bool:
    path = item.nodeid.removeprefix("tests/")
    return path.startswith(TIMED) or "contexts" in getattr(item, "fixturenames", ())


def _is_journey(item: pytest.Item) -> bool:
    return item.path.relative_to(Path(__file__).parent).parts[0] == "journeys"


@pytest.fixture(scope="session", autouse=True)
def assets() -> None:
    """What pages refer to; takes a millisecond where it is there."""
    build_assets()


@pytest.fixture(scope="session", autouse=True)
def own_hasher() -> PasswordHasher:
    """What hashes passwords outside tests. In them that costs nothing: most tests sign somebody in."""
    own = passwords._hasher
    passwords._hasher = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    return own


@pytest.fixture(scope="session", autouse=True)
def patient_pages() -> None:
    """Let a commit wait until it has told what it changed, for which it has a second otherwise.

    A busy machine takes that, and the page, whose stream is open, would wait for the next change.
    """
    live.PUBLISH_S = UNTIL_S


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


@pytest.fixture(scope="session")
async def template_database(postgres: EmbeddedPostgres) -> str:
    """A migrated database that each test's own begins as."""
    dsn = await copy_database(postgres.dsn, "slipway_template")
    database = Database()
    await database.open(dsn)
    await migrate(dsn)
    await database.close()
    return "slipway_template"


@pytest.fixture(scope="session")
async def databases(postgres: EmbeddedPostgres) -> AsyncIterator[Databases]:
    databases = Databases(postgres.dsn)
    yield databases
    await databases.close()


@pytest.fixture
async def dsn(databases: Databases, template_database: str) -> str:
    """The address of a database that is as new: migrated and empty."""
    return await databases.fresh(template_database)


@pytest.fixture
def clock() -> SetClock:
    return SetClock(START)


@pytest.fixture
async def database(databases: Databases, dsn: str, clock: SetClock) -> AsyncIterator[Database]:
    """An open database of the test's own; its clock stands still."""
    database = await databases.open(dsn, clock)
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


@pytest.fixture(scope="session")
async def browser() -> AsyncIterator[Browser]:
    """A headless Chromium."""
    async with chromium() as browser:
        yield browser


@pytest.fixture
async def contexts(browser: Browser) -> AsyncIterator[Contexts]:
    """Make browser contexts that are closed when the test ends, however it ends."""
    made: list[BrowserContext] = []

    async def make(**settings: Any) -> BrowserContext:
        made.append(await browser.new_context(**settings))
        return made[-1]

    yield make
    for context in made:
        await context.close()
