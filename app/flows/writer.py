"""Group commit: one coroutine writes what all runs of this process have changed.

While a commit is on its way the next changes gather, so that the more there is to do the more
rides in one commit. Who hands in a change goes on only when it is committed.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import structlog

from app.core.database import LOST, Database, is_lost
from app.core.telling import Teller
from app.flows import journal
from app.flows.change import Change
from app.flows.journal import Written
from app.flows.lease import Fenced
from app.flows.metrics import count_commit

MOST_AT_ONCE = 500
RETRY_S = 0.2
TELL_EVERY_S = 0.1
"""How often pages are told at most: a run may do many steps in that time."""
log = structlog.get_logger()


class Writer:
    """Writes for one process; `run` it for as long as changes are handed in."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: list[tuple[Change, asyncio.Future[Written]]] = []
        self._rung = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._teller = Teller(database, pause_s=TELL_EVERY_S)

    async def write(self, change: Change) -> Written:
        """Return when the change is committed. Raises Fenced when the run is not ours any more.

        A database that is away is waited for; the lease bounds how long that makes sense.
        """
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run(), name="journal-writer")
        answer: asyncio.Future[Written] = asyncio.get_running_loop().create_future()
        self._waiting.append((change, answer))
        self._rung.set()
        return await answer

    async def close(self) -> None:
        """Stop; changes that are not committed are given up."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        self._task = None
        await self._teller.close()
        for _, answer in self._waiting:
            answer.cancel()
        self._waiting.clear()

    async def _run(self) -> None:
        again = False
        while True:
            try:
                async with self._connection() as connection:
                    await self._keep_writing(connection, again=again)
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try must come
                log.warning("journal.database_lost", error=str(error))
            again = True
            await asyncio.sleep(RETRY_S)

    @contextlib.asynccontextmanager
    async def _connection(self) -> AsyncIterator[Any]:
        connection = await self._database.pool.acquire()
        try:
            await connection.execute(journal.BY_INDEX.replace("LOCAL ", ""))
            yield connection
        finally:
            with contextlib.suppress(*LOST):
                await connection.execute("RESET ALL")
            with contextlib.suppress(*LOST):
                await self._database.pool.release(connection)

    async def _keep_writing(self, connection: Any, *, again: bool) -> None:
        """Write until the connection is lost; then what was under way is still waiting."""
        while True:
            await self._rung.wait()
            self._rung.clear()
            while self._waiting:
                batch = self._waiting[:MOST_AT_ONCE]
                await self._write(connection, batch, again=again)
                again = False
                del self._waiting[: len(batch)]

    async def _write(
        self,
        connection: Any,
        batch: list[tuple[Change, asyncio.Future[Written]]],
        *,
        again: bool,
    ) -> None:
        try:
            written = await journal.write(connection, [change for change, _ in batch], again=again)
        except Exception as error:
            if is_lost(error):
                self._rung.set()
                raise
            await self._write_apart(connection, batch, error, again=again)
            return
        count_commit(len(batch))
        for change, answer in batch:
            if answer.done():  # who waited for it was cancelled
                continue
            found = written.get(change.run)
            if found is None:
                answer.set_exception(Fenced())
            else:
                answer.set_result(found)
        kept = (change for change, _ in batch if change.run in written)
        self._teller.tell(topic for change in kept for topic in change.topics)

    async def _write_apart(
        self,
        connection: Any,
        batch: list[tuple[Change, asyncio.Future[Written]]],
        error: Exception,
        *,
        again: bool,
    ) -> None:
        """Find the change that PostgreSQL refuses; it must not keep the others back."""
        if len(batch) == 1:
            log.error("journal.refused", run=str(batch[0][0].run), error=str(error))
            if not batch[0][1].done():
                batch[0][1].set_exception(error)
            return
        for one in batch:
            await self._write(connection, [one], again=again)
