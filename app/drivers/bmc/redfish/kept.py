"""Which sessions a worker keeps: those that are in use, and not too many."""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from typing import Protocol

import structlog

IDLE_S = 150.0
"""How long a session is kept for the next call. BMCs end idle ones after 5 to 30 minutes, and until
then they are some of the six or eight that many have."""
LOOK_S = 10.0
"""How often it is looked which have been idle for that long."""
MOST_SESSIONS = 1000
"""Of a worker with thousands of BMCs that it asks now and then; each has some 100 kB, too."""
log = structlog.get_logger()


class Keeper(Protocol):
    """Who may have a session."""

    @property
    def has_session(self) -> bool: ...

    async def give_back(self) -> None:
        """Return when it has none any more, or a call came between, or its BMC is away."""
        ...


class KeptSessions:
    """The sessions of one worker, the longest idle first."""

    def __init__(self) -> None:
        self.clock: Callable[[], float] = time.monotonic
        self._used: OrderedDict[Keeper, float] = OrderedDict()
        self._looking: asyncio.TimerHandle | None = None
        self._giving: dict[Keeper, asyncio.Task[None]] = {}

    def note(self, keeper: Keeper) -> None:
        """Take note of a call that has just ended; make room where there are too many."""
        self._used.pop(keeper, None)
        if keeper.has_session:
            self._used[keeper] = self.clock()
        if len(self._used) > MOST_SESSIONS:
            self._give_back(next(iter(self._used)))
        if self._looking is None and self._used:
            self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    async def close(self) -> None:
        """Look no more, and wait for what is being given back."""
        if self._looking is not None:
            self._looking.cancel()
        await asyncio.gather(*self._giving.values())

    def _look(self) -> None:
        self._looking = None
        due = self.clock() - IDLE_S
        for keeper in [one for one, at in self._used.items() if at <= due]:
            self._give_back(keeper)
        if self._used:
            self._looking = asyncio.get_running_loop().call_later(LOOK_S, self._look)

    def _give_back(self, keeper: Keeper) -> None:
        del self._used[keeper]
        if keeper not in self._giving:
            self._giving[keeper] = asyncio.create_task(self._given_back(keeper))

    async def _given_back(self, keeper: Keeper) -> None:
        try:
            await keeper.give_back()
        except Exception:
            # Its turn could not be had, say: the BMC ends the session itself.
            log.exception("bmc.session_kept")
        finally:
            del self._giving[keeper]
            if keeper.has_session and keeper not in self._used:
                self._used[keeper] = self.clock()
