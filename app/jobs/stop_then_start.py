"""Stop a machine and start it again, in short calls of its provider."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from app.drivers.hypervisor.contract import Working

T = TypeVar("T")
Call = Callable[[dict[str, Any]], Awaitable[T | Working]]


async def stop_then_start(stop: Call[T], start: Call[T], memo: dict[str, Any]) -> T | Working:
    """Do the next part of both, one after the other; what is stopped is not stopped again."""
    is_stopped, its = bool(memo.get("is_stopped")), dict(memo.get("its", {}))
    if not is_stopped:
        found = await stop(its)
        if isinstance(found, Working):
            return msgspec.structs.replace(found, memo={"its": found.memo})
        its = {}
    found = await start(its)
    if isinstance(found, Working):
        return msgspec.structs.replace(found, memo={"is_stopped": True, "its": found.memo})
    return found
