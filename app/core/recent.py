"""Answers that are good for a short while: in this process, and lost with it."""

import time
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, TypeVar

Answer = TypeVar("Answer")


class Recent:
    """The latest answers, `most` of them, each for `hold_s`; what is returned must not be changed.

    An error is none: who asks next asks again.
    """

    def __init__(self, hold_s: float = 60.0, *, most: int = 200) -> None:
        self._hold_s = hold_s
        self._most = most
        self._answers: dict[Hashable, tuple[float, Any]] = {}

    async def get(self, key: Hashable, read: Callable[[], Awaitable[Answer]]) -> Answer:
        """Return what `read` answers, or answered to the same question a short while ago."""
        kept = self._answers.get(key)
        if kept is not None and time.monotonic() < kept[0] + self._hold_s:
            found: Answer = kept[1]
            return found
        answer = await read()
        self._answers.pop(key, None)
        self._answers[key] = (time.monotonic(), answer)
        while len(self._answers) > self._most:
            del self._answers[next(iter(self._answers))]
        return answer
