"""A client that may call this machine, and a peer for it."""

from collections.abc import AsyncIterator

import pytest

from app.core.clock import SetClock
from app.drivers.egress import Egress
from app.drivers.http.client import HttpClient
from tests.drivers.http.peer import Peer, serving


@pytest.fixture
async def client(clock: SetClock) -> AsyncIterator[HttpClient]:
    client = HttpClient(Egress(["127.0.0.0/8", "::1"]), clock)
    yield client
    await client.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving() as peer:
        yield peer
