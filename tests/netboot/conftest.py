"""The application as a machine under installation sees it."""

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.resources import Resources
from app.settings import Settings
from tests.application import application
from tests.services.hall import Hall, open_hall


@pytest.fixture
async def hall(database: Database, vault: Vault) -> Hall:
    return await open_hall(database, vault)


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    settings = Settings(_env_file=None, base_url="http://slipway.test", keys=new_key())
    return application(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def machine(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://slipway.test") as client:
        yield client
