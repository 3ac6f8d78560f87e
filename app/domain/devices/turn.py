"""One session at a switch or a PDU at a time, over all workers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from app.core.database import Database
from app.core.ids import new_id
from app.core.turns import DatabaseTurns

LOOK_AGAIN_S = 0.2
TURN_S = 90.0
"""Longer than a session may take; a worker that dies holds a device for so long."""


@contextlib.asynccontextmanager
async def device_turn(database: Database, place: str) -> AsyncIterator[None]:
    """Wait for the turn at `place` (host and port) and hold it while the block lasts."""
    turns, key, holder = DatabaseTurns(database), f"device:{place}", str(new_id())
    try:
        while not await turns.take(key, holder, for_s=TURN_S):  # noqa: ASYNC110 - other workers tell nobody
            await asyncio.sleep(LOOK_AGAIN_S)
        yield
    finally:
        await turns.give_back(key, holder)
