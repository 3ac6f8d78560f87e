"""Fire schedules: each tick starts one run, whichever of the workers comes first.

A row is moved on to its next tick by compare-and-swap in the transaction that starts the run,
and the run's key names the tick: neither two workers nor a clock that was set back start it
twice.
"""

from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from app.core.database import Database, Tx
from app.flows.dispatch import Event, start_or_tell
from app.flows.document import duration
from app.flows.nodes.schedule import Params
from app.flows.triggers.schedule import due_tick, next_tick

AT_ONCE = 200
log = structlog.get_logger()


class _Planned(msgspec.Struct, frozen=True):
    """A schedule with the tick that it waits for."""

    id: UUID
    flow: UUID
    config: str
    next_at: datetime

    @property
    def params(self) -> Params:
        return msgspec.json.decode(self.config, type=Params)


async def fire_due(database: Database) -> int:
    """Start a run for each schedule that is due; returns how many ticks had one.

    One that fails is logged and due again at the next call; it keeps no other back.
    """
    async with database.snapshot() as tx:
        due = await _planned(
            tx, "next_at <= $1 ORDER BY next_at LIMIT $2", database.clock.now(), AT_ONCE
        )
    fired = 0
    for one in due:
        try:
            async with database.transaction() as tx:
                fired += await _fire(tx, one)
        except Exception:
            log.exception("schedule.failed", flow=str(one.flow))
    return fired


async def correct_plans(database: Database) -> int:
    """Plan anew what waits for a later tick than its next one; returns how many there were.

    So it is after the clock was set forward and back again, or a time zone's rules changed.
    """
    corrected = 0
    async with database.snapshot() as tx:
        for one in await _planned(tx, "next_at > $1", tx.now()):
            params = one.params
            wanted = next_tick(params.cron, params.timezone, tx.now())
            if wanted < one.next_at:
                corrected += await _move(tx, one, wanted)
    return corrected


async def next_due(tx: Tx) -> datetime | None:
    """Return when the earliest schedule ticks."""
    earliest: datetime | None = await tx.fetchval("SELECT min(next_at) FROM flow_trigger")
    return earliest


async def _planned(tx: Tx, condition: str, *values: object) -> list[_Planned]:
    rows = await tx.fetch(
        f"SELECT id, flow, config, next_at FROM flow_trigger WHERE {condition}", *values
    )
    return [_Planned(**dict(row)) for row in rows]


async def _fire(tx: Tx, planned: _Planned) -> bool:
    params, now = planned.params, tx.now()
    if not await _move(tx, planned, next_tick(params.cron, params.timezone, now)):
        return False  # another worker was faster, or the flow was published anew
    tick = due_tick(
        params.cron,
        params.timezone,
        planned=planned.next_at,
        now=now,
        grace=duration(params.grace),
        misfire=params.misfire,
    )
    if tick is None:
        log.warning("schedule.missed", flow=str(planned.flow), tick=planned.next_at.isoformat())
        return False
    event = Event(
        kind="schedule",
        key=f"schedule:{tick.isoformat()}",
        data={**params.data, "scheduled_at": tick, "fired_at": now},
    )
    return await start_or_tell(tx, planned.flow, event) is not None


async def _move(tx: Tx, planned: _Planned, to: datetime) -> bool:
    tag = await tx.execute(
        "UPDATE flow_trigger SET next_at = $3 WHERE id = $1 AND next_at = $2 AND config = $4",
        planned.id,
        planned.next_at,
        to,
        planned.config,
    )
    return tag != "UPDATE 0"
