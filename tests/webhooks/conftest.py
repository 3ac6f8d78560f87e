"""The application as other systems call it, with flows that listen and one connection's secret."""

from collections.abc import AsyncIterator

import httpx
import pytest
from litestar import Litestar
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault, new_key
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.flows import registry
from app.resources import Resources
from app.settings import Settings
from tests.application import application
from tests.flows.nodes import nodes
from tests.flows.triggers.board import Board

SECRET = "whisper"
TOKEN = "of-alertmanager"
SHIPPED = registry.node_types


@pytest.fixture
def board(database: Database, clock: SetClock, monkeypatch: pytest.MonkeyPatch) -> Board:
    known = {**SHIPPED(), **nodes()}
    monkeypatch.setattr(registry, "node_types", lambda: known)
    return Board(database, clock)


@pytest.fixture
async def github(database: Database, vault: Vault) -> str:
    """The name of a connection whose token is `SECRET`."""
    async with database.transaction() as tx:
        await add_connection(
            tx,
            vault,
            name="github",
            kind=Kind.HTTP,
            typed={"base_url": "https://api.github.com", "auth": "bearer", "secret": SECRET},
            actor=None,
            actor_label="test",
        )
    return "github"


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault, github: str) -> Litestar:
    settings = Settings(
        _env_file=None, base_url="http://slipway.test", keys=new_key(), alert_token=TOKEN
    )
    return application(Resources(settings, database, redis, Live(redis), vault))


@pytest.fixture
async def http(app: Litestar) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://slipway.test") as client:
        yield client
