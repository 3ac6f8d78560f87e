"""Claims that come at the same time in one process are written together: fewer commits.

While one batch is on its way to the disk, the next one gathers: alone, a claim waits for
nobody; among many, a commit serves all that came during the one before.
"""

import asyncio
from collections import deque
from contextvars import Context
from typing import NamedTuple
from uuid import UUID

from app.core.database import Database
from app.core.errors import Refusal
from app.domain.addresses.together import Ask, TooLate, claim_together
from app.domain.addresses.views import Claimed

MOST = 128
"""Asks that one transaction serves."""


class _Waiting(NamedTuple):
    ask: Ask
    answer: asyncio.Future[Claimed]


class ClaimDesk:
    """Serves whoever claims addresses outside any transaction of its own.

    The claims are committed when `claim` returns, so that an order that comes to nothing
    has to release them, or their expiry does.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._queue: deque[_Waiting] = deque()
        self._writer: asyncio.Task[None] | None = None

    async def claim(self, ask: Ask) -> Claimed:
        """Return all that the order has, as `addresses.claim` does, and raise what that raises.

        One caller's error is no other's: a batch that fails is claimed again one by one.
        Cancelled, it may still be claimed.
        """
        answer: asyncio.Future[Claimed] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(ask, answer))
        if self._writer is None:
            # A context of its own: whoever asks may have a transaction open.
            self._writer = asyncio.create_task(self._write(), name="claims", context=Context())
        return await answer

    async def _write(self) -> None:
        try:
            while batch := self._gather():
                await self._serve(batch)
        finally:
            # At once, and not when the task is done: who comes in between would wait for nobody.
            self._writer = None

    def _gather(self) -> list[_Waiting]:
        """Take the next asks off the queue, the oldest first, one of a holder."""
        batch: dict[UUID, _Waiting] = {}
        later: list[_Waiting] = []
        while self._queue and len(batch) < MOST:
            waiting = self._queue.popleft()
            if waiting.ask.holder in batch:
                later.append(waiting)
            elif not waiting.answer.cancelled():
                batch[waiting.ask.holder] = waiting
        self._queue.extendleft(reversed(later))
        return list(batch.values())

    async def _serve(self, batch: list[_Waiting]) -> None:
        asks = [waiting.ask for waiting in batch]
        try:
            try:
                answers = await self._claim(asks, try_once=True)
            except TooLate:
                answers = await self._claim(asks)
        except Exception as error:  # noqa: BLE001 - it is the caller's, who waits for it
            if len(batch) > 1:
                for waiting in batch:
                    await self._serve([waiting])
                return
            _tell(batch[0], error)
        else:
            for waiting, answer in zip(batch, answers, strict=True):
                _tell(waiting, answer)

    async def _claim(self, asks: list[Ask], *, try_once: bool = False) -> list[Claimed | Refusal]:
        async with self._database.transaction() as tx:
            return await claim_together(tx, asks, try_once=try_once)


def _tell(waiting: _Waiting, answer: Claimed | Exception) -> None:
    if waiting.answer.done():
        return
    if isinstance(answer, Exception):
        waiting.answer.set_exception(answer)
    else:
        waiting.answer.set_result(answer)
