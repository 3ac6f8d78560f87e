"""Time limits that cost next to nothing, since nearly all of them are kept.

`asyncio.timeout` makes a timer of the loop's and cancels it again, 4 µs under uvloop; a call of a
flow's step stands under three. Here long limits are looked at together, four times a second.
"""

import asyncio
from types import TracebackType
from typing import Self
from weakref import WeakKeyDictionary

BEAT_S = 0.25
EXACT_UP_TO_S = 5.0
"""A shorter limit has a timer of its own; a longer one may end by a beat late."""


def within(seconds: float) -> "Limit":
    """End what the current task does in the block after `seconds`, with TimeoutError.

    The task is cancelled, as by `asyncio.timeout`; who catches CancelledError within delays that.
    """
    return Limit(seconds)


class Limit:
    """A time limit of one block; see `within`."""

    __slots__ = ("_cancelling", "_ends_s", "_is_over", "_seconds", "_task", "_timer", "_watch")
    _task: asyncio.Task[object]
    _watch: "Watch"

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    def __enter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("A time limit ends a task; there is none here.")
        loop = task.get_loop()
        self._task = task
        self._cancelling = task.cancelling()
        self._watch = _watch_of(loop)
        if self._seconds <= EXACT_UP_TO_S:
            self._timer = loop.call_later(self._seconds, self.end)
        else:
            self._ends_s = loop.time() + self._seconds
            self._watch.add(self, loop)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        else:
            self._watch.drop(self)
        if self._is_over:
            is_ours = self._task.uncancel() <= self._cancelling
            if is_ours and kind is asyncio.CancelledError:
                raise TimeoutError from error

    def is_due(self, now_s: float) -> bool:
        return self._ends_s <= now_s

    def end(self) -> None:
        self._is_over = True
        self._task.cancel()


class Watch:
    """The long limits of one event loop, which it does not keep alive."""

    def __init__(self) -> None:
        self._open: set[Limit] = set()
        self._is_beating = False

    def add(self, limit: Limit, loop: asyncio.AbstractEventLoop) -> None:
        self._open.add(limit)
        if not self._is_beating:
            self._is_beating = True
            loop.call_later(BEAT_S, self._beat, loop)

    def drop(self, limit: Limit) -> None:
        self._open.discard(limit)

    def _beat(self, loop: asyncio.AbstractEventLoop) -> None:
        now_s = loop.time()
        for limit in [each for each in self._open if each.is_due(now_s)]:
            self._open.discard(limit)
            limit.end()
        self._is_beating = bool(self._open)
        if self._is_beating:
            loop.call_later(BEAT_S, self._beat, loop)


_WATCHES: WeakKeyDictionary[asyncio.AbstractEventLoop, Watch] = WeakKeyDictionary()


def _watch_of(loop: asyncio.AbstractEventLoop) -> Watch:
    watch = _WATCHES.get(loop)
    if watch is None:
        watch = _WATCHES[loop] = Watch()
    return watch
