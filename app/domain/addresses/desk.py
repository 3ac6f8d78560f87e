"""Callers that want the next free address at the same time are served together: fewer commits.

While batches are on their way to the disk, the next one gathers. Alone, a caller waits for
nobody: one statement outside of any transaction claims for it. Where clients are named, one more
reads all of these first, however many they and the callers are. It is for programs that claim by
hand (`available-ips`). Orders claim in the transaction in which they are held or provisioned:
what they get stands or falls with it, and to wait in one for another transaction of ours, which
may wait for this one, could never end.
"""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Sequence
from contextvars import Context
from typing import NamedTuple, TypeAlias
from uuid import UUID

from app.core.database import Database, is_lost
from app.core.errors import Refusal
from app.core.telling import Teller
from app.domain.addresses.index import INDEX
from app.domain.addresses.leaves import Leaf, read_leaves
from app.domain.addresses.next_free import (
    NextAsk,
    NextCase,
    TooLate,
    claim_next_in_turn,
    write_next,
)
from app.domain.addresses.views import ClaimView

MOST = 128
"""Asks that one transaction serves."""
AT_ONCE = 2
"""Batches at a time: one is chosen here while PostgreSQL writes the other."""
SHARED_FROM = 16
"""So many asks that wait are shared between the batches that can begin."""
KNOWN_S = 1.0
"""So long it is remembered what a prefix is and what is kept of it; the database looks anyway."""

TELL_EVERY_S = 0.05
"""So often at most pages hear of it: a publication costs a third of a claim."""

Answer: TypeAlias = tuple[ClaimView, ...]


class DeskClosed(Exception):
    """The process stops; what was asked for may have been claimed, or not."""


class _Waiting(NamedTuple):
    ask: NextAsk
    answer: asyncio.Future[Answer]


class ClaimDesk:
    """Serves one process."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._teller = Teller(database, gather_s=TELL_EVERY_S)
        self._queue: deque[_Waiting] = deque()
        self._serving: set[asyncio.Task[None]] = set()
        self._busy = 0
        """How many of them have a batch."""
        self._leaves: dict[UUID, tuple[Leaf, float]] = {}

    async def claim(self, ask: NextAsk) -> Answer:
        """Claim the lowest free ones of a prefix for good; return them in order.

        One caller's refusal is no other's. A caller that gives up before its turn claims
        nothing, and after it has claimed what the audit trail says. Raises NotFound, Invalid,
        PrefixFull and PrefixBusy with nothing claimed; the database's own error where that is
        away, when nobody knows.
        """
        ask.check(self._database.clock.now())
        answer: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(ask, answer))
        self._begin()
        return await answer

    async def close(self) -> None:
        """Stop; whoever waits is told."""
        _tell_all(self._queue, DeskClosed())
        self._queue.clear()
        for task in list(self._serving):
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)
        await self._teller.close()

    @property
    def _idle(self) -> int:
        """How many tasks have begun, or are about to, and have no batch yet."""
        return len(self._serving) - self._busy

    def _begin(self) -> None:
        if len(self._serving) < AT_ONCE and self._idle < len(self._queue):
            # A context of its own: whoever asks may have a transaction open.
            task = asyncio.create_task(self._serve_all(), name="claims", context=Context())
            self._serving.add(task)
            task.add_done_callback(self._end)

    def _end(self, task: asyncio.Task[None]) -> None:
        self._serving.discard(task)
        self._begin()

    async def _serve_all(self) -> None:
        while batch := self._gather():
            self._busy += 1
            try:
                await self._serve(batch)
            except Exception as error:  # noqa: BLE001 - it is the callers', who wait for it
                _tell_all(batch, error)
            finally:
                _tell_all(batch, DeskClosed())
                self._busy -= 1

    def _gather(self) -> list[_Waiting]:
        """Take the next asks off the queue, the oldest first; many are shared with who is idle."""
        batch: list[_Waiting] = []
        while self._queue and not batch:
            waiting = len(self._queue)
            share = waiting if waiting < SHARED_FROM else -(-waiting // self._idle)
            taken = [self._queue.popleft() for _ in range(min(MOST, share))]
            batch = [one for one in taken if not one.answer.done()]
        return batch

    async def _serve(self, batch: Sequence[_Waiting]) -> None:
        leaves = await self._known_leaves({one.ask.prefix for one in batch})
        ready: list[_Waiting] = []
        cases: list[NextCase] = []
        doubtful: list[_Waiting] = []
        for one in batch:
            prefix = one.ask.prefix
            case = NextCase(one.ask, leaves[prefix]) if prefix in leaves else None
            if case is None or INDEX.is_contended(prefix) or not case.choose():
                doubtful.append(one)
            else:
                ready.append(one)
                cases.append(case)
        if cases:
            try:
                async with self._database.snapshot() as tx:  # what writes commits by itself
                    self._answer(ready, await write_next(tx, cases))
            except TooLate:
                doubtful += ready
            except Exception as error:
                if is_lost(error):
                    raise
                doubtful += ready
        if doubtful:
            await self._serve_in_turn(doubtful)

    async def _serve_in_turn(self, batch: Sequence[_Waiting]) -> None:
        """Serve those for whom what is remembered is not enough, or not right."""
        for one in batch:
            self._leaves.pop(one.ask.prefix, None)
        try:
            async with self._database.transaction() as tx:
                answers = await claim_next_in_turn(tx, [one.ask for one in batch])
        except Exception as error:  # noqa: BLE001 - it is theirs, who wait for it
            if is_lost(error) or len(batch) == 1:
                _tell_all(batch, error)
                return
            for one in batch:  # whose fault it was is found out one by one
                await self._serve_in_turn([one])
        else:
            self._answer(batch, answers)

    def _answer(self, batch: Sequence[_Waiting], answers: Sequence[Answer | Refusal]) -> None:
        for one, answer in zip(batch, answers, strict=True):
            _tell(one, answer)
        prefixes = {one.ask.prefix for one in batch}
        self._teller.tell(["addresses", *(f"prefix:{prefix}" for prefix in prefixes)])

    async def _known_leaves(self, prefixes: set[UUID]) -> dict[UUID, Leaf]:
        """Return the leaves among the prefixes for which the index is ready."""
        now, now_s = self._database.clock.now(), time.monotonic()
        unknown = {
            prefix
            for prefix in prefixes
            if prefix not in self._leaves
            or now_s - self._leaves[prefix][1] > KNOWN_S
            or not INDEX.is_ready(prefix, now)
        }
        if unknown:
            for prefix in unknown:
                self._leaves.pop(prefix, None)
            async with self._database.snapshot() as tx:
                found = await read_leaves(tx, unknown)
                await INDEX.refresh(tx, [leaf.pool for leaf in found.values()])
            self._leaves |= {prefix: (leaf, now_s) for prefix, leaf in found.items()}
        return {
            prefix: self._leaves[prefix][0]
            for prefix in prefixes
            if prefix in self._leaves and INDEX.is_ready(prefix, now)
        }


def _tell_all(batch: Iterable[_Waiting], error: Exception) -> None:
    for one in batch:
        _tell(one, error)


def _tell(waiting: _Waiting, answer: Answer | Exception) -> None:
    if waiting.answer.done():
        return
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
