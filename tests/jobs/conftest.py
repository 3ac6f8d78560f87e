"""A worker's desk; most tests of the jobs also have a shop with one server."""

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.settings import Settings
from tests.jobs.desk import SETTINGS, Desk
from tests.orders.world import a_shop


@pytest.fixture
def bare(database: Database, clock: SetClock, vault: Vault, redis: Redis) -> Desk:
    return Desk(database, clock, vault, Live(redis), Settings(_env_file=None, **SETTINGS))


@pytest.fixture
async def desk(bare: Desk) -> Desk:
    async with bare.database.transaction() as tx:
        await a_shop(tx, servers=1)
    return bare
