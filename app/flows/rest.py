"""Let a run go: it has ended, sleeps until a time or a signal, or halts for a person."""

import asyncio
from enum import Enum, auto

from app.core.database import Database, Tx
from app.flows import journal, lease
from app.flows.change import RunRow
from app.flows.course import Course
from app.flows.journal import Written
from app.flows.signals import all_quiet, take_signals
from app.flows.writer import Writer

SENDING_S = 0.01
"""How long a signal takes to be sent, about: a run that waits for it does not sleep meanwhile."""


class Rest(Enum):
    LET_GO = auto()
    GOES_ON = auto()
    STEERED = auto()


async def rest(database: Database, writer: Writer, course: Course) -> Rest:
    """Write what is not written, and the run's own row with it; the lease is given back."""
    now = database.clock.now()
    if course.ending is not None or not course.tokens:
        for token in list(course.tokens.values()):
            course.drop(token)
        course.tell(now)
        output = course.last_output if course.parent is not None or course.ending else None
        row = RunRow("succeeded", None, "", output, now, releases=True)
    else:
        row = _sleeping(course)
        if any(token.signal_key for token in course.tokens.values() if token.state == "waiting"):
            return await _sleep_by_signal(database, course, row)
    async with course.lock:
        change = course.take(now)
        change.row = row
        written = await writer.write(change)
    return _heard(course, written)


def _sleeping(course: Course) -> RunRow:
    wake_at = course.next_wake()
    status = "halted" if wake_at is None else "waiting"
    course.sleeps_until = wake_at
    return RunRow(status, wake_at, course.error or None, None, None, releases=True)


def _heard(course: Course, written: Written) -> Rest:
    if written.has_rested:
        return Rest.LET_GO
    if written.is_ending:
        course.is_cancelled = True
        return Rest.GOES_ON
    return Rest.STEERED


async def _sleep_by_signal(database: Database, course: Course, row: RunRow) -> Rest:
    """Sleep unless one of its signals came or is just being sent.

    The run's row is locked, so that a signal is either seen here or wakes the run afterwards.
    """
    async with course.lock, database.transaction() as tx:
        if await lease.guard(tx, course.id, course.epoch):
            course.is_cancelled = True
            return Rest.GOES_ON
        quiet = await all_quiet(tx, _keys(course))
        heard = quiet and await _hear(tx, course)
        written = await _put_down(tx, course, None if heard else row) if quiet else None
    if written is None:
        await asyncio.sleep(SENDING_S)
    return Rest.GOES_ON if heard or written is None else _heard(course, written)


async def _put_down(tx: Tx, course: Course, row: RunRow | None) -> Written:
    change = course.take(tx.now())
    change.row = row
    return await journal.write_with(tx, course.id, change)


async def listen(database: Database, course: Course) -> None:
    """Take in what came from outside while other steps of the run are being done."""
    # First the run's own lock, then its row's: a step that is being written does it that way round.
    async with course.lock, database.transaction() as tx:
        if await lease.guard(tx, course.id, course.epoch):
            course.is_cancelled = True
            return
        course.is_steered = await lease.is_steered(tx, course.id)
        if await all_quiet(tx, _keys(course)) and await _hear(tx, course):
            await journal.write_with(tx, course.id, course.take(tx.now()))


def _keys(course: Course) -> list[str]:
    return [
        token.signal_key
        for token in course.tokens.values()
        if token.state == "waiting" and token.signal_key
    ]


async def _hear(tx: Tx, course: Course) -> bool:
    """Hand each waiting token what was sent to its signal; returns whether there was any."""
    payloads = await take_signals(tx, _keys(course))
    for token in course.tokens.values():
        if token.state == "waiting" and token.signal_key in payloads:
            token.heard = payloads[token.signal_key]
            course.touch(token)
    return bool(payloads)
