"""Read which machines' samples are due, and keep what was read. Read twice, it is kept once."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.ids import new_id
from app.domain.machines.held import HELD
from app.domain.usage.counters import Counted, counted, sample_since
from app.domain.usage.samples import (
    EMPTY,
    Hour,
    hours_of,
    join,
    merge,
    pack,
    slots_of,
    totals_of,
    unpack,
)
from app.drivers.game.contract import GameUsage
from app.drivers.hypervisor.contract import Ref, Usage

PERIOD = timedelta(minutes=20)
"""How often samples are read: providers keep those of an hour, so that two readings may fail."""
GAME_PERIOD = timedelta(minutes=5)
"""Panels keep no samples: what a game server uses is what it is seen to use."""
NEW_AT_ONCE = 200
SUMS = ("disk_read_bytes", "disk_write_bytes", "net_in_bytes", "net_out_bytes")
NUMBERS = ("seconds", "cpu", "cpu_most", "memory_bytes", "disk_used_bytes", *SUMS)
_DAY = (
    "sum(seconds)::integer, sum(cpu * seconds) / greatest(sum(seconds), 1), max(cpu_most), "
    "round(sum(memory_bytes::numeric * seconds) / greatest(sum(seconds), 1))::bigint, "
    "round(sum(disk_used_bytes::numeric * seconds) / greatest(sum(seconds), 1))::bigint, "
    + ", ".join(f"sum({name})::bigint" for name in SUMS)
)


class PlayedAt(msgspec.Struct, frozen=True):
    """What is needed to read of a game server."""

    short: str
    """How the panel names it; "" where it is to be looked up."""
    cpu_percent: int
    """What it may use, of one thread; 0: any."""


class Due(msgspec.Struct, frozen=True):
    """A machine whose samples are to be read, and at which connection it is."""

    ref: Ref
    connection: str
    game: PlayedAt | None = None
    """None: it is a virtual machine."""


async def take_due(tx: Tx, limit: int) -> Sequence[Due]:
    """Take up to `limit` machines that are due, of providers that answer.

    A game server that is suspended does not run, and its panel says nothing of it. Who takes one
    puts off its next turn, so that any number of workers read none twice.
    """
    await _watch_new(tx)
    rows = await tx.fetch(
        "WITH due AS MATERIALIZED (SELECT u.id, m.connection, s.hostname, g.id IS NOT NULL "
        "AS is_game, g.short, (g.made_of->'limits'->>'cpu_percent')::integer AS cpu_percent "
        f"FROM usage_watch u JOIN {HELD} m ON m.service = u.service "
        "JOIN service s ON s.id = u.service LEFT JOIN game_server g ON g.service = u.service "
        "LEFT JOIN provider_watch w ON w.connection = m.connection "
        "WHERE u.due_at <= $1 AND m.made_at IS NOT NULL AND m.removed_at IS NULL "
        "AND m.drift <> 'gone' AND (s.state = 'active' OR (s.state = 'suspended' "
        "AND g.id IS NULL)) "
        "AND w.silent_since IS NULL ORDER BY u.due_at LIMIT $2 FOR UPDATE OF u SKIP LOCKED) "
        "UPDATE usage_watch u SET due_at = $1::timestamptz + (0.8 + 0.2 * random()) * "
        "CASE WHEN due.is_game THEN $4::interval ELSE $3::interval END "
        "FROM due WHERE u.id = due.id RETURNING u.service, due.*",
        tx.now(),
        limit,
        PERIOD,
        GAME_PERIOD,
    )
    return [
        Due(
            Ref(row["service"], row["hostname"]),
            row["connection"],
            PlayedAt(row["short"], row["cpu_percent"] or 0) if row["is_game"] else None,
        )
        for row in rows
    ]


async def _watch_new(tx: Tx) -> None:
    rows = await tx.fetch(
        f"SELECT m.service FROM {HELD} m JOIN service s ON s.id = m.service "
        "WHERE m.made_at IS NOT NULL AND m.removed_at IS NULL AND s.state = 'active' "
        "AND NOT EXISTS (SELECT FROM usage_watch u WHERE u.service = m.service) LIMIT $1",
        NEW_AT_ONCE,
    )
    await tx.executemany(
        "INSERT INTO usage_watch (id, service, due_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        [(new_id(), row["service"], tx.now()) for row in rows],
    )


async def note_unread(tx: Tx, service: UUID, words: str) -> None:
    """Keep why samples were not read; they are read again in about 20 min."""
    await tx.execute(
        "UPDATE usage_watch SET error = $2, due_at = greatest(due_at, $3) WHERE service = $1",
        service,
        storable(words, 500),
        tx.now() + 0.8 * PERIOD,
    )


async def put_off(tx: Tx, connection: str, until: datetime) -> None:
    """Read of no machine there before `until`: its provider asked to be left alone so long."""
    await tx.execute(
        f"UPDATE usage_watch u SET due_at = $2 FROM {HELD} m WHERE m.service = u.service "
        "AND m.connection = $1 AND u.due_at < $2",
        connection,
        until,
    )


async def note_counters(
    tx: Tx, service: UUID, now: GameUsage, *, at: datetime, cpu_percent: int
) -> None:
    """Keep what a game server used since it was read before; read twice, it is kept once.

    Two statements more than `note_usage`. What was read before the latest reading is left out.
    """
    row = await tx.fetchrow(
        "SELECT counted_at AS at, counted_in_bytes AS net_in_bytes, counted_out_bytes AS "
        "net_out_bytes, counted_up_s AS up_s FROM usage_watch WHERE service = $1 FOR UPDATE",
        service,
    )
    if row is None:
        return
    before = None if row["at"] is None else msgspec.convert(dict(row), Counted)
    if before is not None and at <= before.at:
        return
    sample = sample_since(before, now, at, cpu_percent=cpu_percent)
    await note_usage(tx, service, [] if sample is None else [sample], put=join)
    after = counted(now, at)
    await tx.execute(
        "UPDATE usage_watch SET counted_at = $2, counted_in_bytes = $3, counted_out_bytes = $4, "
        "counted_up_s = $5 WHERE service = $1",
        service,
        after.at,
        after.net_in_bytes,
        after.net_out_bytes,
        after.up_s,
    )


async def note_usage(
    tx: Tx, service: UUID, samples: Sequence[Usage], *, put: Callable[[Hour, Hour], Hour] = merge
) -> None:
    """Keep samples in their hours, and bring the days of these up to date.

    `put` says how: by `merge`, samples that are told again change nothing; by `join`, each is new
    and follows on the one before. Four statements. Workers that read the same machine do it one
    after the other.
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
        at: put(EMPTY if kept.get(at) is None else unpack(kept[at]), hour)
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
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) "
        f"ON CONFLICT (service, at) DO UPDATE SET slots = excluded.slots, {_taken_over()}",
        [
            (service, at, pack(hour), *(getattr(totals[at], name) for name in NUMBERS))
            for at, hour in hours.items()
        ],
    )


def _taken_over() -> str:
    return ", ".join(f"{name} = excluded.{name}" for name in NUMBERS)
