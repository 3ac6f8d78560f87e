"""Who has a draft open, and which node each has selected: in Redis, forgotten after silence.

Nothing depends on it: without Redis nobody is seen, and drawing goes on.
"""

from typing import Any
from uuid import UUID

import msgspec
from redis.asyncio import Redis

SILENT_S = 45
"""A window says that it is there every 20 s; silent for so long it is taken for closed."""
LONGEST_TAB = 40


class Presence(msgspec.Struct, frozen=True):
    """One window of one designer."""

    name: str
    node: str
    at_s: float


def _key(draft: UUID) -> str:
    return f"slipway:designers:{draft}"


def _commands(redis: Redis) -> Any:
    """Return the client; redis-py types its commands for blocking clients too."""
    return redis


async def arrive(redis: Redis, draft: UUID, tab: str, presence: Presence) -> bool:
    """Note that a window is open; returns whether that is news to the others."""
    key, tab = _key(draft), tab[:LONGEST_TAB]
    before = await _commands(redis).hget(key, tab)
    await _commands(redis).hset(key, tab, msgspec.json.encode(presence).decode())
    await _commands(redis).expire(key, 2 * SILENT_S)
    known = msgspec.json.decode(before, type=Presence) if before else None
    return known is None or known.node != presence.node or presence.at_s > known.at_s + SILENT_S


async def leave(redis: Redis, draft: UUID, tab: str) -> None:
    await _commands(redis).hdel(_key(draft), tab[:LONGEST_TAB])


async def who_is_here(redis: Redis, draft: UUID, *, now_s: float) -> dict[str, Presence]:
    """Return the open windows; those that fell silent are forgotten."""
    found = {
        tab.decode(): msgspec.json.decode(raw, type=Presence)
        for tab, raw in (await _commands(redis).hgetall(_key(draft))).items()
    }
    silent = [tab for tab, presence in found.items() if presence.at_s < now_s - SILENT_S]
    if silent:
        await _commands(redis).hdel(_key(draft), *silent)
    return {tab: presence for tab, presence in found.items() if tab not in silent}
