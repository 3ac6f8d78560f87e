"""Drive one leased run: do what is due, have it written, follow the edges.

A pure step costs no commit of its own: it rides with the next one. A step outside is two: its
intent, together with what came of the step before, and its outcome, together with the next
intent; so a chain of n calls is n + 1 commits. A step in our own database is one: its effect
and its outcome. A run that has nothing due goes back to the database; waiting costs nothing.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import structlog

from app.core.database import Database, is_lost, storable
from app.flows import lease, recall
from app.flows.chart import Charts
from app.flows.compensate import compensate
from app.flows.course import Course, Token
from app.flows.lease import Claim, Fenced
from app.flows.node import Effect
from app.flows.rest import Rest, listen, rest
from app.flows.step import Broken, Doer, Unwritable
from app.flows.writer import Writer

AGAIN_S = 0.2
"""How soon a database that is away is asked again."""
MOST_UNWRITTEN = 200
"""Rows of pure steps that may gather before they are written all the same."""
log = structlog.get_logger()


class Interpreter:
    """Drives runs with a worker's database and tools."""

    def __init__(self, database: Database, tools: Any) -> None:
        self.database = database
        self.tools = tools
        self.writer = Writer(database)
        self.doer = Doer(database, tools, self.writer)
        self._charts = Charts()

    async def close(self) -> None:
        await self.writer.close()

    async def recall(self, claims: Sequence[Claim]) -> list[Course]:
        """Bring claimed runs into memory; a run whose document cannot be read is halted."""
        async with self.database.snapshot() as tx:
            courses, unread = await recall.recall(tx, claims, self._charts)
        for claim, error in unread:
            await self._halt(claim.run, claim.epoch, error.message)
        return courses

    async def drive(self, course: Course) -> datetime | None:
        """Do all that is due of the run, then let it go; returns when it goes on by itself.

        None: not before somebody wakes it, or never.
        """
        try:
            while not await self._drive(course):
                course = await self._reload(course)
        except Fenced:
            log.warning("run.fenced", run=str(course.id), epoch=course.epoch)
        except Unwritable as error:
            await self._halt(course.id, course.epoch, f"what it did cannot be written: {error}")
        else:
            return course.sleeps_until
        return None

    async def _drive(self, course: Course) -> bool:
        """Return whether the run was let go; else it must be read anew from the journal."""
        tasks: set[asyncio.Task[None]] = set()
        try:
            while True:
                if course.is_steered and not tasks:
                    await self.doer.commit(course)
                    return False
                await self._do_due(course, tasks)
                if course.unwritten > (0 if tasks else MOST_UNWRITTEN):
                    await self.doer.commit(course)
                if self._due(course):
                    continue  # what has just become due does not wait for what is under way
                if tasks:
                    tasks = await self._wait(course, tasks)
                elif (ended := await self._rest(course)) is not None:
                    return ended
        except Broken:
            return False
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _do_due(self, course: Course, tasks: set[asyncio.Task[None]]) -> None:
        """Do what is due: what takes no time at once, all else side by side, in `tasks`."""
        for token in self._due(course):
            if _stops(course) or token.id not in course.tokens:
                continue  # a step before it in this round has ended the run, or taken it in
            if _takes_no_time(course, token) or _is_alone(course, token):
                await self.doer.do(course, token)
            else:
                token.is_busy = True
                tasks.add(asyncio.create_task(self._do_beside(course, token)))

    def _due(self, course: Course) -> list[Token]:
        if course.is_steered or _stops(course):
            return []
        return course.due(self.database.clock)

    async def _do_beside(self, course: Course, token: Token) -> None:
        try:
            await self.doer.do(course, token)
        finally:
            token.is_busy = False

    async def _wait(
        self, course: Course, tasks: set[asyncio.Task[None]]
    ) -> set[asyncio.Task[None]]:
        """Wait for a step, a token's time or a word from outside; returns what is still going."""
        wake_at = course.next_wake()
        timeout_s = None
        if wake_at is not None:
            timeout_s = max((wake_at - self.database.clock.now()).total_seconds(), 0.0)
        woken = asyncio.create_task(course.woken.wait())
        done, _ = await asyncio.wait(
            {*tasks, woken}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED
        )
        woken.cancel()
        if course.woken.is_set():
            course.woken.clear()
            await listen(self.database, course)
        for task in done - {woken}:
            task.result()
        return tasks - done

    async def _rest(self, course: Course) -> bool | None:
        """End the run, undo it, or put it to sleep; None when something is due again."""
        if _stops(course) and not _ends_well(course):
            await self.doer.commit(course)
            await compensate(self.database, self.tools, course)
            return True
        rested = await rest(self.database, self.writer, course)
        return None if rested is Rest.GOES_ON else rested is Rest.LET_GO

    async def _reload(self, course: Course) -> Course:
        """Read the run anew under the lease that we have. Raises Fenced when it is ours no more."""
        while True:
            try:
                async with self.database.transaction() as tx:
                    claim = await lease.claim_again(tx, course.id, course.epoch)
                found = await self.recall([claim])
            except Exception as error:
                if not is_lost(error):
                    raise
                await asyncio.sleep(AGAIN_S)
            else:
                if not found:  # its document cannot be read any more, which halted it
                    raise Fenced
                return found[0]

    async def _halt(self, run: UUID, epoch: int, reason: str) -> None:
        """Stop a run for a person, wherever its tokens stand; a retry goes on from there."""
        async with self.database.transaction() as tx:
            await lease.guard(tx, run, epoch)
            await lease.halt(tx, run, epoch, storable(reason))


def _stops(course: Course) -> bool:
    """Return whether no further step may begin."""
    return course.is_cancelled or course.ending is not None


def _takes_no_time(course: Course, token: Token) -> bool:
    kind = course.stop_of(token).kind
    return kind is None or kind.container or kind.effect is Effect.PURE


def _is_alone(course: Course, token: Token) -> bool:
    """Return whether nothing else of the run could go on while the step is being done."""
    return all(other is token or other.state == "inside" for other in course.tokens.values())


def _ends_well(course: Course) -> bool:
    return course.ending is not None and not course.ending.is_failure and not course.is_cancelled
