"""The admin side as an application, and people of each role who look at it."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import start_session
from app.drivers.egress import Egress
from app.drivers.peers import Peers, open_peers
from app.resources import Resources
from app.routes.security.visit import SESSION_COOKIE
from app.settings import Settings
from tests.accounts.people import make_account
from tests.application import application
from tests.furnished import dsn, furnished, stage, vault
from tests.security.browser import Browser

__all__ = ["dsn", "furnished", "stage", "vault"]  # fixtures
Enter = Callable[[Role], Awaitable[Browser]]


@pytest.fixture
async def peers() -> AsyncIterator[Peers]:
    peers = open_peers(Egress(["127.0.0.0/8"]))
    yield peers
    await peers.close()


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault, peers: Peers) -> Litestar:
    settings = Settings(
        _env_file=None, base_url="http://slipway.test", company="Acme Metal", keys=new_key()
    )
    return application(Resources(settings, database, redis, Live(redis), vault), peers=peers)


async def session_of(database: Database, role: Role) -> str:
    """Make someone of a role and return the token of their session."""
    person = await make_account(database, f"{role}@slipway.test", role=role, name=f"The {role}")
    async with database.transaction() as tx:
        return await start_session(tx, person, address="192.0.2.7", agent="test")


@pytest.fixture
async def enter(app: Litestar, database: Database) -> AsyncIterator[Enter]:
    """Return a function that gives a signed-in browser of a role."""
    async with contextlib.AsyncExitStack() as stack:

        async def come(role: Role) -> Browser:
            browser = await stack.enter_async_context(Browser(app))
            browser.cookies.set(SESSION_COOKIE, await session_of(database, role))
            return browser

        yield come


@pytest.fixture
async def owner(enter: Enter) -> Browser:
    return await enter(Role.OWNER)
