"""A panel on loopback, and a shop that sells game servers at it."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.settings import Settings
from tests.drivers.game.panel import panel_on_loopback
from tests.games.sale import GameSale, open_game_sale
from tests.jobs.desk import SETTINGS


@pytest.fixture
async def sale(
    database: Database,
    clock: SetClock,
    vault: Vault,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[GameSale]:
    settings = Settings(_env_file=None, **SETTINGS)
    async with (
        panel_on_loopback() as (panel, peer),
        open_game_sale(database, clock, vault, Live(redis), settings, panel, peer, monkeypatch) as sale,
    ):  # fmt: skip
        yield sale
