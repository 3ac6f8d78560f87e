"""Wait for something that real processes are about to do."""

import asyncio
from collections.abc import Awaitable, Callable

INTERVAL_S = 0.1


async def until(
    holds: Callable[[], Awaitable[object]], *, within_s: float, every_s: float = INTERVAL_S
) -> None:
    """Return as soon as `holds()` is true; fail after `within_s`."""
    async with asyncio.timeout(within_s):
        while not await holds():  # noqa: ASYNC110 - it happens in another process
            await asyncio.sleep(every_s)
