"""The whole application over a furnished provider, and browsers of every kind to visit it."""

import asyncio
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
import uvicorn
from litestar import Litestar
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.find import find_account_by_email
from app.domain.accounts.views import AccountView
from app.resources import Resources
from app.settings import Settings
from tests.accounts.people import make_account
from tests.application import application
from tests.conftest import START
from tests.databases import copy_database
from tests.furnished import forget_addresses
from tests.portal.world import furnish
from tests.security.browser import Browser

TEMPLATE = "slipway_portal"


@pytest.fixture(scope="session")
async def template_database(postgres: EmbeddedPostgres, template_database: str) -> str:
    """A database with the provider and a client in it, that each test's own begins as."""
    dsn = await copy_database(postgres.dsn, TEMPLATE, template=template_database)
    database = Database(SetClock(START))
    await database.open(dsn)
    await furnish(database, Vault([new_key()]))
    await make_account(database)
    await database.close()
    return TEMPLATE


@pytest.fixture(autouse=True)
async def _no_memory_of_other_tests(database: Database) -> None:
    await forget_addresses(database)


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    settings = Settings(
        _env_file=None,
        base_url="http://slipway.test",
        company="Acme Metal",
        keys=new_key(),
        bank_account_name="Acme Metal",
        bank_iban="DE02120300000000202051",
    )
    return application(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def ada(database: Database) -> AccountView:
    async with database.snapshot() as tx:
        account = await find_account_by_email(tx, "ada@example.com")
    assert account is not None
    return account


@pytest.fixture
async def visitor(app: Litestar) -> AsyncIterator[Browser]:
    async with Browser(app) as browser:
        yield browser


@pytest.fixture
async def client(app: Litestar, ada: AccountView) -> AsyncIterator[Browser]:
    """A browser in which Ada is signed in."""
    async with Browser(app) as browser:
        answer = await browser.sign_in()
        assert answer.status_code == 303
        yield browser


@dataclass(frozen=True)
class Site:
    """The application on loopback, served in this event loop, with live topics."""

    address: str
    live: Live

    def url(self, path: str) -> str:
        return self.address + path


@pytest.fixture
async def site(app: Litestar, database: Database, redis: Redis) -> AsyncIterator[Site]:
    live: Live = app.dependencies["live"].dependency()  # type: ignore[union-attr, operator]
    database.after_commit = live.publish
    await live.start()
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve([listener]))
    yield Site(f"http://127.0.0.1:{listener.getsockname()[1]}", live)
    server.should_exit = True
    await serving
    await live.stop()
    listener.close()
