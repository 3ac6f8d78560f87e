"""Ask what is due, some of it side by side, each now and then and at once when told."""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from app.core.database import Database, Tx
from app.core.live import Live

Key = TypeVar("Key")
Taken_co = TypeVar("Taken_co", covariant=True)


class TakeDue(Protocol[Taken_co]):
    """Takes up to `limit` of what is due, silent ones or others; puts off their next turn."""

    async def __call__(self, tx: Tx, limit: int, *, silent: bool) -> Sequence[Taken_co]: ...


class DueWatch(Generic[Key]):
    """A worker's long-lived look at what is due; any number of workers look.

    `slots` is how many are asked at once. Those that were silent the last time (True) have slots
    of their own: they take the longest, and nobody else waits for them. Sweeps are `sweep_s`
    apart, `full_s` where as many were due as there were slots for: there may be more.
    """

    def __init__(
        self,
        database: Database,
        live: Live,
        *,
        doorbell: str,
        slots: Mapping[bool, int],
        take_due: TakeDue[Key],
        ask: Callable[[Key], Coroutine[Any, Any, None]],
        sweep_s: float,
        full_s: float | None = None,
    ) -> None:
        self._database = database
        self._live = live
        self._doorbell = doorbell
        self._slots = slots
        self._take_due = take_due
        self._look = ask
        self._sweep_s = sweep_s
        self._full_s = sweep_s if full_s is None else full_s
        self._asking: Mapping[bool, set[asyncio.Task[None]]] = {True: set(), False: set()}

    async def run(self) -> None:
        """Run until cancelled; what is being asked then is due again soon."""
        try:
            await self._live.keep_sweeping(
                self._doorbell, self._sweep_and_tell, at_most_s=self._sweep_s
            )
        finally:
            for task in self._all():
                task.cancel()
            await asyncio.gather(*self._all(), return_exceptions=True)

    async def sweep(self) -> int:
        """Begin to ask what is due, as far as slots are free; returns how many that is."""
        return sum([await self._begin(silent=silent) for silent in self._asking])

    async def idle(self) -> None:
        """Wait until nobody is being asked; for tests."""
        while tasks := self._all():
            await asyncio.gather(*tasks)

    def _all(self) -> list[asyncio.Task[None]]:
        return [task for asking in self._asking.values() for task in asking]

    async def _sweep_and_tell(self) -> float:
        free = {kind: self._slots[kind] - len(tasks) for kind, tasks in self._asking.items()}
        is_more = [0 < free[kind] == await self._begin(silent=kind) for kind in free]
        return self._full_s if any(is_more) else self._sweep_s

    async def _begin(self, *, silent: bool) -> int:
        asking = self._asking[silent]
        free = self._slots[silent] - len(asking)
        if free <= 0:
            return 0
        async with self._database.transaction() as tx:
            due = await self._take_due(tx, free, silent=silent)
        for key in due:
            task = asyncio.create_task(self._look(key), name=f"{self._doorbell} {key}")
            asking.add(task)
            task.add_done_callback(asking.discard)
        return len(due)
