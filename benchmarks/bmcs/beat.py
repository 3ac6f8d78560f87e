"""By how much the event loop is late."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

BEAT_S = 0.005


@contextlib.asynccontextmanager
async def beating() -> AsyncIterator[list[float]]:
    """Note by how many seconds each short sleep was too long, for as long as the block lasts."""
    lags: list[float] = []

    async def beat() -> None:
        while True:
            began = time.perf_counter()
            await asyncio.sleep(BEAT_S)
            lags.append(time.perf_counter() - began - BEAT_S)

    heart = asyncio.create_task(beat())
    try:
        yield lags
    finally:
        heart.cancel()
