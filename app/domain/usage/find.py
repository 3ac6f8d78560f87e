"""Read what a service's machine used."""

from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.usage.months import Month, month_begin, number_of
from app.domain.usage.roll_up import BITS, bandwidth_of, slots_between
from app.domain.usage.samples import SLOT_S, Slot, unpack
from app.domain.usage.views import MonthUse, Point, Spacing, UsageState

STEPS = {
    Spacing.slot: timedelta(minutes=5),
    Spacing.hour: timedelta(hours=1),
    Spacing.day: timedelta(days=1),
}
MOST_POINTS = 2_500
"""A little over a week of five-minute means, or a hundred days of hours."""
_TABLES = {Spacing.hour: "usage_hour", Spacing.day: "usage_day"}


async def course_of(
    tx: Tx, service: UUID, *, begin: datetime, end: datetime, step: Spacing
) -> tuple[Point, ...]:
    """Return what was measured from `begin` to `end`, in order, 2,500 points at most."""
    if step is Spacing.slot:
        return (await _slots(tx, service, begin, end))[:MOST_POINTS]
    rows = await tx.fetch(
        f"SELECT * FROM {_TABLES[step]} WHERE service = $1 AND at > $2::timestamptz - $4::interval "
        "AND at < $3 AND seconds > 0 ORDER BY at LIMIT $5",
        service,
        begin,
        end,
        STEPS[step],
        MOST_POINTS,
    )
    return tuple(map(_point, rows))


async def months_of(tx: Tx, service: UUID) -> tuple[MonthUse, ...]:
    """Return the billing months of a service, the one that runs first. Raises NotFound."""
    row = await tx.fetchrow("SELECT activated_at FROM service WHERE id = $1", service)
    if row is None:
        raise NotFound("service", service)
    closed = await tx.fetch(
        "SELECT * FROM usage_month WHERE service = $1 ORDER BY number DESC LIMIT 36", service
    )
    found = [
        MonthUse(
            is_over=True,
            **{name: value for name, value in month.items() if name in _MONTH},
        )
        for month in closed
    ]
    anchor: datetime | None = row["activated_at"]
    if anchor is None:
        return tuple(found)
    known = {month.began_at for month in found}
    number = number_of(anchor, tx.now())
    # That before may not be closed yet: its last samples may still come.
    for each in (number - 1, number):
        began = month_begin(anchor, max(each, 0))
        if began not in known:
            month = Month(each, began, month_begin(anchor, max(each, 0) + 1))
            known.add(began)
            if (use := await _open_month(tx, service, month)) is not None:
                found.insert(0, use)
    return tuple(found)


async def state_of(tx: Tx, service: UUID) -> UsageState:
    """Return when samples of a service were read."""
    row = await tx.fetchrow("SELECT read_at, error FROM usage_watch WHERE service = $1", service)
    return UsageState(read_at=None, error="") if row is None else UsageState(**row)


_MONTH = frozenset(MonthUse.__struct_fields__) - {"is_over"}


async def _open_month(tx: Tx, service: UUID, month: Month) -> MonthUse | None:
    slots = await slots_between(tx, service, month)
    if not slots:
        return None
    seconds, net_in, net_out, p95_in, p95_out = bandwidth_of(slots)
    return MonthUse(
        began_at=month.began_at,
        ended_at=month.ended_at,
        is_over=month.ended_at <= tx.now(),
        seconds=seconds,
        net_in_bytes=net_in,
        net_out_bytes=net_out,
        p95_in_bits_s=p95_in,
        p95_out_bits_s=p95_out,
    )


async def _slots(tx: Tx, service: UUID, begin: datetime, end: datetime) -> tuple[Point, ...]:
    rows = await tx.fetch(
        "SELECT at, slots FROM usage_hour WHERE service = $1 AND slots IS NOT NULL "
        "AND at > $2::timestamptz - $4::interval AND at < $3 ORDER BY at LIMIT $5",
        service,
        begin,
        end,
        timedelta(hours=1),
        MOST_POINTS,
    )
    return tuple(
        _of_slot(at, slot)
        for row in rows
        for number, slot in enumerate(unpack(row["slots"]))
        for at in [row["at"] + timedelta(seconds=SLOT_S * number)]
        if slot.seconds and begin <= at < end
    )


def _of_slot(at: datetime, slot: Slot) -> Point:
    return Point(
        at=at,
        seconds=slot.seconds,
        cpu=slot.cpu,
        memory_bytes=round(slot.memory),
        disk_read_bytes_s=slot.disk_read,
        disk_write_bytes_s=slot.disk_write,
        net_in_bits_s=slot.net_in * BITS,
        net_out_bits_s=slot.net_out * BITS,
        disk_used_bytes=round(slot.disk_used),
    )


def _point(row: asyncpg.Record) -> Point:
    seconds = row["seconds"]
    return msgspec.convert(
        {
            "at": row["at"],
            "seconds": seconds,
            "cpu": row["cpu"],
            "memory_bytes": row["memory_bytes"],
            "disk_read_bytes_s": row["disk_read_bytes"] / seconds,
            "disk_write_bytes_s": row["disk_write_bytes"] / seconds,
            "net_in_bits_s": row["net_in_bytes"] * BITS / seconds,
            "net_out_bits_s": row["net_out_bytes"] * BITS / seconds,
            "disk_used_bytes": row["disk_used_bytes"],
        },
        Point,
    )
