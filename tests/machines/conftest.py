"""A cluster that is a process of its own, and a shop that sells machines at it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.drivers.hypervisor.contract import HypervisorPeer
from app.settings import Settings
from tests.drivers.certificates import Authority
from tests.drivers.hypervisor.pve import fakepve
from tests.jobs.desk import SETTINGS
from tests.machines.sale import Sale, open_sale


@pytest.fixture(scope="package")
def pve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[HypervisorPeer]:
    """A cluster whose tasks are over at once."""
    folder: Path = tmp_path_factory.mktemp("pve")
    with fakepve(folder, Authority(folder), second_s=0) as peer:
        yield peer


@pytest.fixture
async def sale(
    pve: HypervisorPeer,
    database: Database,
    clock: SetClock,
    vault: Vault,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Sale]:
    settings = Settings(_env_file=None, **SETTINGS)
    async with open_sale(database, clock, vault, Live(redis), settings, pve, monkeypatch) as sale:
        yield sale
