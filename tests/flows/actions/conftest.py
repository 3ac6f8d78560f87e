"""A step of one's own to call nodes with, and peers on loopback that they may call."""

from collections.abc import AsyncIterator

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from app.drivers.egress import Egress
from app.drivers.peers import open_peers
from tests.drivers.http.peer import Peer, serving
from tests.flows.actions.bench import Bench


@pytest.fixture
async def bench(database: Database, clock: SetClock, vault: Vault) -> AsyncIterator[Bench]:
    peers = open_peers(Egress(["127.0.0.0/8"]), clock)
    yield Bench(database, clock, vault, peers)
    await peers.close()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    async with serving() as peer:
        yield peer
