"""Read which machines' samples are due, and keep what was read. Read twice, it is kept once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.ids import new_id
from app.domain.usage.samples import EMPTY, Hour, hours_of, merge, pack, slots_of, totals_of, unpack
from app.drivers.hypervisor.contract import Ref, Usage

PERIOD = timedelta(minutes=20)
"""How often samples are read: providers keep those of an hour, so that two readings may fail."""
NEW_AT_ONCE = 200
SUMS = ("disk_read_bytes", "disk_write_bytes", "net_in_bytes", "net_out_bytes")
NUMBERS = ("seconds", "cpu", "cpu_most", "memory_bytes", *SUMS)
_DAY = (
    "sum(seconds)::integer, sum(cpu * seconds) / greatest(sum(seconds), 1), max(cpu_most), "
    "round(sum(memory_bytes::numeric * seconds) / greatest(sum(seconds), 1))::bigint, "
    + ", ".join(f"sum({name})::bigint" for name in SUMS)
)


class Due(msgspec.Struct, frozen=True):
    """A machine whose samples are to be read, and at which connection it is."""

    ref: Ref
    connection: str


async def take_due(tx: Tx, limit: int) -> Sequence[Due]:
    """Take up to `limit` machines that are due, of providers that answer.

    Who takes one puts off its next turn, so that any number of workers read none twice.
    """
    await _watch_new(tx)
    rows = await tx.fetch(
        "WITH due AS MATERIALIZED (SELECT u.id, m.connection, s.hostname FROM usage_watch u "
        "JOIN machine m ON m.service = u.service JOIN service s ON s.id = u.service "
        "LEFT JOIN provider_watch w ON w.connection = m.connection "
        "WHERE u.due_at <= $1 AND m.made_at IS NOT NULL AND m.removed_at IS NULL "
        "AND m.drift <> 'gone' AND s.state IN ('active', 'suspended') "
        "AND w.silent_since IS NULL ORDER BY u.due_at LIMIT $2 FOR UPDATE OF u SKIP LOCKED) "
        "UPDATE usage_watch u SET due_at = $1::timestamptz + (0.8 + 0.2 * random()) * $3::interval "
        "FROM due WHERE u.id = due.id RETURNING u.service, due.hostname, due.connection",
        tx.now(),
        limit,
        PERIOD,
    )
    return [Due(Ref(row["service"], row["hostname"]), row["connection"]) for row in rows]


async def _watch_new(tx: Tx) -> None:
    rows = await tx.fetch(
        "SELECT m.service FROM machine m JOIN service s ON s.id = m.service "
        "WHERE m.made_at IS NOT NULL AND m.removed_at IS NULL AND s.state = 'active' "
        "AND NOT EXISTS (SELECT FROM usage_watch u WHERE u.service = m.service) LIMIT $1",
        NEW_AT_ONCE,
    )
    await tx.executemany(
        "INSERT INTO usage_watch (id, service, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(new_id(), row["service"], tx.now()) for row in rows],
    )


async def note_unread(tx: Tx, service: UUID, words: str) -> None:
    """Keep why samples were not read; they are read again when they are due."""
    await tx.execute(
        "UPDATE usage_watch SET error = $2 WHERE service = $1", service, storable(words, 500)
    )


async def note_usage(tx: Tx, service: UUID, samples: Sequence[Usage]) -> None:
    """Keep samples in their hours, and bring the days of these up to date. Idempotent.

    Four statements. Workers that read the same machine do it one after the other.
    """
    await tx.execute(
        "UPDATE usage_watch SET read_at = $2, error = '' WHERE service = $1", service, tx.now()
    )
    read = hours_of(slots_of(samples))
    if not read:
        return
    kept = {
        row["at"]: row["slots"]
        for row in await tx.fetch(
            "SELECT at, slots FROM usage_hour WHERE service = $1 AND at = ANY($2) FOR UPDATE",
            service,
            list(read),
        )
    }
    # An hour whose slots were dropped is over and counted: nothing is added to it.
    merged = {
        at: merge(EMPTY if kept.get(at) is None else unpack(kept[at]), hour)
        for at, hour in read.items()
        if at not in kept or kept[at] is not None
    }
    await _write(tx, service, merged)
    days = {at.replace(hour=0) for at in merged}
    await tx.execute(
        f"INSERT INTO usage_day (service, at, {', '.join(NUMBERS)}) "
        f"SELECT $1, date_trunc('day', at, 'UTC'), {_DAY} FROM usage_hour WHERE service = $1 "
        "AND date_trunc('day', at, 'UTC') = ANY($2) AND at >= $3 GROUP BY 2 "
        f"ON CONFLICT (service, at) DO UPDATE SET {_taken_over()}",
        service,
        list(days),
        min(days, default=tx.now()),
    )
    tx.publish(f"service:{service}")


async def _write(tx: Tx, service: UUID, hours: dict[datetime, Hour]) -> None:
    totals = {at: totals_of(hour) for at, hour in hours.items()}
    await tx.executemany(
        f"INSERT INTO usage_hour (service, at, slots, {', '.join(NUMBERS)}) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
        f"ON CONFLICT (service, at) DO UPDATE SET slots = excluded.slots, {_taken_over()}",
        [
            (service, at, pack(hour), *(getattr(totals[at], name) for name in NUMBERS))
            for at, hour in hours.items()
        ],
    )


def _taken_over() -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in NUMBERS)
