"""One Ironic for all the tests here; each enrols nodes of its own."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.drivers.egress import Egress
from app.drivers.metal.contract import BasicLogin, MetalPeer, NodeSeed
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.peers import open_peers
from app.drivers.secret import Secret
from app.drivers.tls import TrustSystem
from tests.metal.errands import Hand
from tests.metal.hall import Hall, open_hall
from tests.metal.ironic import PASSWORD, USER, ironic

LOOPBACK = Egress(["127.0.0.0/8"])


@pytest.fixture(scope="session")
def ironic_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where it keeps its database."""
    return tmp_path_factory.mktemp("ironic")


@pytest.fixture(scope="session")
def peer(ironic_folder: Path) -> Iterator[MetalPeer]:
    with ironic(ironic_folder) as url:
        yield MetalPeer(
            name="metal",
            provider="ironic",
            url=url,
            login=BasicLogin(USER, Secret(PASSWORD)),
            tls=TrustSystem(),
        )


@pytest.fixture
async def cloud(peer: MetalPeer) -> AsyncIterator[Ironic]:
    cloud = Ironic(peer, LOOPBACK)
    yield cloud
    await cloud.close()


@pytest.fixture
async def hand(
    database: Database, clock: SetClock, vault: Vault, peer: MetalPeer
) -> AsyncIterator[Hand]:
    hand = Hand(database, clock, vault, open_peers(LOOPBACK, clock))
    await hand.connect(peer)
    yield hand
    await hand.peers.close()


@pytest.fixture
def seed() -> NodeSeed:
    number = uuid4().hex
    pairs = ":".join(number[at : at + 2] for at in (0, 2, 4))
    return NodeSeed(name=f"node-{number[:8]}", macs=(f"52:54:00:{pairs}",), driver="fake-hardware")


@pytest.fixture
async def hall(
    peer: MetalPeer, cloud: Ironic, database: Database, clock: SetClock, vault: Vault, redis: Redis
) -> AsyncIterator[Hall]:
    peers = open_peers(LOOPBACK, clock)
    yield await open_hall(database, clock, vault, Live(redis), peers, cloud, peer.url)
    await peers.close()
