"""A provider at work, for commands that look at it."""

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from tests.admin.stage import Stage


@pytest.fixture
async def stage(database: Database, clock: SetClock, vault: Vault) -> Stage:
    stage = Stage(database, clock, vault)
    await stage.furnish()
    return stage
