"""A time limit of a driver that passes when a real peer has come to where a test wants it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import ModuleType, SimpleNamespace

import pytest


@contextlib.asynccontextmanager
async def passes_once(module: ModuleType, holds: Callable[[], object]) -> AsyncIterator[None]:
    """Have the first limit that `module` sets in the block pass once that holds, and not before.

    However long the peer takes for that: what it was asked by then is no matter of its pace. Limits
    that the module sets later are as they are.
    """
    set_: list[asyncio.Timeout] = []

    def timeout(delay_s: float | None) -> asyncio.Timeout:
        set_.append(asyncio.timeout(delay_s if set_ else None))
        return set_[-1]

    async def watch() -> None:
        while not holds():  # noqa: ASYNC110 - the peer tells nobody
            await asyncio.sleep(0.01)
        set_[0].reschedule(asyncio.get_running_loop().time())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "asyncio", SimpleNamespace(**{**vars(asyncio), "timeout": timeout}))
        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
