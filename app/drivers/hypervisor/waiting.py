"""What is waited for while a provider works, and for how long."""

import math
from collections.abc import Awaitable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from app.drivers.errors import NotReached, RateLimited
from app.drivers.hypervisor.contract import Working

T = TypeVar("T")
FIRST_S = 0.2
SOON = 8
"""So many looks follow each other quickly: most tasks are over by then."""
LONGEST_S = 5.0
MOST_LOOKS = 240
"""A quarter of an hour at the longest interval, more than the longest task that we start."""


def began(memo: dict[str, Any], task: str | None, says: str) -> Working:
    """Return what to wait for once a call was made: its task, or the state that follows it."""
    kept = {key: value for key, value in memo.items() if key not in ("task", "looks")}
    return Working(kept | {"says": says} | ({"task": task} if task else {}), FIRST_S, says)


def again(memo: dict[str, Any], says: str, peer: str) -> Working:
    """Return what to wait for: a state, where no task is left to be asked about."""
    return later({key: value for key, value in memo.items() if key != "task"}, says, peer)


def later(memo: dict[str, Any], says: str, peer: str) -> Working:
    """Wait ever longer, and not for ever. Raises NotReached in the end."""
    looks = int(memo.get("looks", 0)) + 1
    if looks > MOST_LOOKS:
        raise NotReached(peer, wanted=says, seen="the same", deadline_s=MOST_LOOKS * LONGEST_S)
    return Working(
        memo | {"looks": looks}, min(FIRST_S * 1.25 ** max(looks - SOON, 0), LONGEST_S), says
    )


async def patiently(memo: dict[str, Any], call: Awaitable[T]) -> T | Working:
    """Return what the call gives; one that a rate limit turned away is made again when it says.

    A step looks at what is there before it changes anything, so the memo is as good as before.
    """
    try:
        return await call
    except RateLimited as error:
        return Working(memo, error.after_s, "The provider asks to wait")


SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 1.0, 600.0


def pause_s(headers: Mapping[str, str], *, otherwise_s: float = 10.0) -> float:
    """Return how long `Retry-After` asks to wait, in seconds or by date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "").strip()
    try:
        asked_s = float(text)
    except ValueError:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return otherwise_s
        at = at if at.tzinfo else at.replace(tzinfo=UTC)
        asked_s = (at - datetime.now(UTC)).total_seconds()
    if not math.isfinite(asked_s):
        return otherwise_s
    return min(max(asked_s, SHORTEST_PAUSE_S), LONGEST_PAUSE_S)
