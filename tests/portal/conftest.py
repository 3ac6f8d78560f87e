"""The whole application over a furnished provider, and browsers of every kind to visit it."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from litestar import Litestar
from redis.asyncio import Redis

from app.cli.assets import build_assets
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.accounts.views import AccountView
from app.main import create_app
from app.resources import Resources
from app.settings import Settings
from tests.accounts.people import make_account
from tests.portal.world import furnish
from tests.security.browser import Browser


@pytest.fixture(scope="session", autouse=True)
def assets() -> None:
    build_assets()


@pytest.fixture
async def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    await furnish(database, vault)
    settings = Settings(
        _env_file=None,
        base_url="http://slipway.test",
        company="Acme Metal",
        keys=new_key(),
        bank_account_name="Acme Metal",
        bank_iban="DE02120300000000202051",
    )
    return create_app(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def ada(app: Litestar, database: Database) -> AccountView:
    return await make_account(database)


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
