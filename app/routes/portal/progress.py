"""A run of the flow engine as the client of its order is shown it.

Calm and true: which step, how long, how far. What failed inside, on which node and why, is
for staff; a client is told that it takes longer and that somebody is on it.
"""

from datetime import datetime, timedelta
from uuid import UUID

import htpy as h
import structlog

from app.components.portal.order import Progress
from app.components.progress import progress
from app.components.time import about_text
from app.components.timeline import StepState, TimelineStep
from app.core.database import Tx
from app.flows.timeline import RunTimeline, StepStatus, TimelineEntry, timeline_of

# What steps say while they wait is written for staff; these are known to be fit for clients.
WAITS = {
    "waiting for a server": "Waiting for a free server of this kind",
    "waiting for addresses": "Waiting for free addresses",
    "the machine boots": "The server starts its installer",
    "the machine restarts from its disk": "The server restarts from its own disk",
    "the mail is on its way": "The mail is on its way",
    "trying again": "Trying again",
}
STOPPED = frozenset({"halted", "compensating", "failed", "cancelled"})

log = structlog.get_logger(__name__)


async def progress_of(tx: Tx, run: UUID | None) -> Progress:
    """Return the progress of a run; empty while there is none. Three statements."""
    if run is None:
        return Progress()
    try:
        course = await timeline_of(tx, run)
    except LookupError:
        log.warning("the run of an order is not there", run=str(run))
        return Progress()
    return shown(course, tx.now())


def shown(course: RunTimeline, now: datetime) -> Progress:
    """Return the course without anything that is for staff."""
    is_halted = course.status in STOPPED
    return Progress(
        steps=tuple(_step(entry, now, is_halted=is_halted) for entry in course.entries),
        is_halted=is_halted,
        expected_end=None if is_halted else course.expected_end,
    )


def _step(entry: TimelineEntry, now: datetime, *, is_halted: bool) -> TimelineStep:
    taken = entry.elapsed(now)
    expected_ms = _ms(entry.expected) if entry.expected is not None else None
    match entry.status:
        case StepStatus.done:
            return TimelineStep(
                label=entry.label,
                state=StepState.DONE,
                elapsed_ms=None if taken is None else _ms(taken),
            )
        case StepStatus.halted:
            return TimelineStep(
                label=entry.label,
                state=StepState.RUNNING,
                elapsed_ms=None if taken is None else _ms(taken),
                note="We are looking at this step; it goes on from here",
            )
        case StepStatus.running:
            return TimelineStep(
                label=entry.label,
                state=StepState.RUNNING,
                elapsed_ms=None if taken is None else _ms(taken),
                # One bar a step: how far it is, or else the time taken of the time expected.
                expected_ms=None if entry.percent or is_halted else expected_ms,
                note=_note(entry, expected_ms),
            )
    return TimelineStep(
        label=entry.label,
        state=StepState.PENDING,
        expected_ms=None if is_halted else expected_ms,
    )


def _note(entry: TimelineEntry, expected_ms: int | None) -> h.Node:
    """Return what a running step waits for, or how far its installation is."""
    if entry.percent:
        stage = WAITS.get(entry.says, entry.says) or "Installing"
        usual = f" · usually {about_text(expected_ms)}" if expected_ms is not None else ""
        return progress(min(entry.percent, 100), 100, label=f"{_capital(stage)}{usual}")
    return WAITS.get(entry.says)


def _capital(words: str) -> str:
    return words[:1].upper() + words[1:]


def _ms(length: timedelta) -> int:
    return max(0, int(length / timedelta(milliseconds=1)))
