"""The workshop with every installed node type beside those of the tests."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.flows import registry
from tests.flows.conftest import Workshop
from tests.flows.engine.bench import nodes
from tests.flows.nodes import World


@dataclass
class Outside(World):
    """A world that can be asked what it did."""

    asked: list[str] = field(default_factory=list)
    mute: bool = False
    """It does not say whether something was done."""


@pytest.fixture
async def workshop(
    database: Database, clock: SetClock, redis: Redis, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Workshop]:
    every = nodes()
    monkeypatch.setattr(registry, "node_types", lambda: every)
    workshop = Workshop(database, clock, Live(redis), world=Outside())
    yield workshop
    await workshop.close()
