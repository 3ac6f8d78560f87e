"""Trials of a draft: the latest dry run or rehearsal of each designer, in Redis for half a day.

Nothing depends on one: when Redis forgets it, it is run again. It is of the draft as it was; what
is drawn since does not change it.
"""

import hashlib
from datetime import datetime
from uuid import UUID

import msgspec
from msgspec.structs import replace
from redis.asyncio import Redis

from app.flows.document import content_hash
from app.flows.drafts.sheet import Sheet
from app.flows.dryrun.rehearse import Rehearsal
from app.flows.dryrun.result import DryRun

KEPT_S = 12 * 3600
LARGEST_BYTES = 4 * 1024 * 1024
TOO_LARGE = "too large to be kept"
STALLED_S = 20
"""A rehearsal tells how far it is several times a second; silent for so long, its process ended."""


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """What a draft did (`run`) or how it takes faults (`report`); neither while under way."""

    id: UUID
    rev: int
    content: str
    """Of the draft that was tried: `content_of`."""
    at: datetime
    words: str
    """What it went by: `made-up data`, `run of 3 May`."""
    only: str = ""
    """The one node that was run."""
    until: str = ""
    """The node after which it stopped."""
    run: DryRun | None = None
    report: Rehearsal | None = None
    done: int = 0
    """Faults that were tried so far."""
    known: int = 0
    """Faults that are known of so far."""
    heard_at: datetime
    """When a rehearsal last told how far it is."""

    @property
    def is_under_way(self) -> bool:
        return self.run is None and self.report is None

    def is_stalled(self, now: datetime) -> bool:
        return self.is_under_way and (now - self.heard_at).total_seconds() > STALLED_S


def content_of(sheet: Sheet) -> str:
    """Return a digest of all that a trial depends on: the content and the sample data."""
    pins = msgspec.json.encode(sheet.pins, order="deterministic")
    return hashlib.sha256(content_hash(sheet.document).encode() + pins).hexdigest()


def _key(draft: UUID, by: UUID) -> str:
    return f"slipway:trial:{draft}:{by}"


async def keep_trial(redis: Redis, draft: UUID, by: UUID, trial: Trial) -> None:
    raw = msgspec.json.encode(trial)
    if len(raw) > LARGEST_BYTES and trial.run is not None:
        raw = msgspec.json.encode(replace(trial, run=_without_values(trial.run)))
    await redis.set(_key(draft, by), raw, ex=KEPT_S)


def _without_values(run: DryRun) -> DryRun:
    """Return a dry run without what went in and out of its steps: the path is kept."""
    path = tuple(replace(step, input=TOO_LARGE, output=TOO_LARGE) for step in run.path)
    return replace(run, path=path, output=TOO_LARGE)


async def find_trial(redis: Redis, draft: UUID, by: UUID) -> Trial | None:
    """Return the designer's latest trial of a draft; None when there is none, or an older form."""
    raw = await redis.get(_key(draft, by))
    try:
        return msgspec.json.decode(raw, type=Trial) if raw else None
    except msgspec.ValidationError:
        return None


async def forget_trial(redis: Redis, draft: UUID, by: UUID) -> None:
    await redis.delete(_key(draft, by))


async def go_on(redis: Redis, draft: UUID, by: UUID, trial: Trial) -> bool:
    """Keep how far a trial is; returns False when it was taken away or another one began."""
    held = await find_trial(redis, draft, by)
    if held is None or held.id != trial.id:
        return False
    await keep_trial(redis, draft, by, trial)
    return True
