"""The admin's mail pages, in process and before a browser."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import uvicorn
from litestar import Litestar
from redis.asyncio import Redis

from app.core.database import Database
from app.core.secrets import Vault
from tests.notices.site import make_app


@pytest.fixture
def app(database: Database, redis: Redis, vault: Vault) -> Litestar:
    return make_app(database, redis, vault)


@pytest.fixture
async def address(app: Litestar) -> AsyncIterator[str]:
    """The pages on loopback, in the test's own event loop."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    task = asyncio.create_task(server.serve([listener]))
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await task
    listener.close()
