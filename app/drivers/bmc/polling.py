"""Waiting for a BMC to follow: a 2xx proves nothing, only reading does."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from app.drivers.errors import Retriable

FIRST_INTERVAL_S = 0.2
LAST_INTERVAL_S = 2.0
MISSES_ALLOWED = 3
"""BMCs drop an answer now and then while the host powers up."""

T = TypeVar("T")


async def pauses(first_s: float = FIRST_INTERVAL_S, last_s: float = LAST_INTERVAL_S) -> None:
    """Sleep once for `first_s`; kept separate so that jitter is in one place."""
    await asyncio.sleep(min(first_s, last_s) * random.uniform(0.9, 1.1))  # noqa: S311 - jitter, no secret


async def until(read: Callable[[], Awaitable[T]], reached: Callable[[T], bool]) -> T:
    """Read every 0.2 s, slowing to 2 s, until `reached`; return what was read.

    Bounded by the caller's `asyncio.timeout`. A few failed reads in a row are
    borne; the next one is raised.
    """
    interval_s = FIRST_INTERVAL_S
    misses = 0
    while True:
        await pauses(interval_s)
        interval_s = min(interval_s * 1.4, LAST_INTERVAL_S)
        try:
            seen = await read()
        except Retriable:
            misses += 1
            if misses >= MISSES_ALLOWED:
                raise
            continue
        misses = 0
        if reached(seen):
            return seen
