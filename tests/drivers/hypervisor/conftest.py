"""What tests of every provider's adapter have: a client, and where the stand-in is."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from app.core.clock import SystemClock
from app.drivers.egress import Egress
from app.drivers.http.client import HttpClient
from app.drivers.hypervisor.contract import HypervisorPeer
from tests.drivers.certificates import Authority
from tests.drivers.hypervisor.pve import fakepve


@pytest.fixture(scope="session")
def pve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HypervisorPeer]:
    folder = tmp_path_factory.mktemp("pve")
    with fakepve(folder, Authority(folder)) as peer:
        yield peer


@pytest.fixture
async def http() -> AsyncIterator[HttpClient]:
    client = HttpClient(Egress(["127.0.0.0/8"]), SystemClock())
    yield client
    await client.close()


@pytest.fixture
def peer(both: tuple[Any, HypervisorPeer]) -> HypervisorPeer:
    """Of `both`, a stand-in and where it is, which each file makes."""
    return both[1]
