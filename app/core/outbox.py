"""The outbox: what must follow a commit is a row of the same transaction.

`emit` writes the row; the relay claims due rows, hands each to the consumer of its
topic and marks it done. Delivery is at least once and every consumer is idempotent by
the row's `key`; the unique key also makes `emit` itself safe to repeat.
"""

from datetime import datetime, timedelta
from typing import Any

import msgspec
from piccolo.columns import JSONB, BigSerial, Integer, Text
from piccolo.table import Table

from app.core.columns import moment, text
from app.core.database import Tx, storable

DOORBELL = "doorbell:outbox"
LEASE_S = 30.0
FIRST_DELAY_S = 1.0
LONGEST_DELAY_S = 300.0
DONE_KEPT = timedelta(days=30)


class Outbox(Table, tablename="outbox"):
    """One row per thing that must happen after a commit."""

    id = BigSerial(primary_key=True)
    topic = text()
    key = text(unique=True)
    payload = JSONB(default="{}")
    created_at = moment()
    due_at = moment()
    attempts = Integer(default=0)
    done_at = moment(null=True)
    error = Text(null=True, default=None)


class Parcel(msgspec.Struct, frozen=True):
    """A claimed row of the outbox."""

    id: int
    topic: str
    key: str
    payload: dict[str, Any]
    attempts: int


async def emit(
    tx: Tx, topic: str, key: str, payload: dict[str, Any], *, due_at: datetime | None = None
) -> None:
    """Add a row, once per `key`, and ring the relay after the commit."""
    await tx.execute(
        "INSERT INTO outbox (topic, key, payload, created_at, due_at, attempts) "
        "VALUES ($1, $2, $3, $4, $5, 0) ON CONFLICT (key) DO NOTHING",
        topic,
        key,
        msgspec.json.encode(payload).decode(),
        tx.now(),
        due_at or tx.now(),
    )
    tx.publish(DOORBELL)


async def claim_due(tx: Tx, limit: int = 50) -> list[Parcel]:
    """Claim up to `limit` due rows for `LEASE_S`; a relay that dies loses its claim then.

    One statement; `SKIP LOCKED` keeps relays from waiting on each other.
    """
    rows = await tx.fetch(
        # Materialized: a plan may run a sub-select again for each row, and claim more than asked.
        "WITH due AS MATERIALIZED (SELECT id FROM outbox WHERE done_at IS NULL AND due_at <= $1 "
        "ORDER BY due_at, id LIMIT $3 FOR UPDATE SKIP LOCKED) "
        "UPDATE outbox SET attempts = attempts + 1, due_at = $1::timestamptz + $2::interval "
        "FROM due WHERE outbox.id = due.id "
        "RETURNING outbox.id, topic, key, payload, attempts",
        tx.now(),
        timedelta(seconds=LEASE_S),
        limit,
    )
    return [
        Parcel(
            row["id"],
            row["topic"],
            row["key"],
            msgspec.json.decode(row["payload"]),
            row["attempts"],
        )
        for row in sorted(rows, key=lambda row: row["id"])
    ]


async def mark_done(tx: Tx, parcel: Parcel) -> None:
    await tx.execute(
        "UPDATE outbox SET done_at = $2, error = NULL WHERE id = $1", parcel.id, tx.now()
    )


async def finish(tx: Tx, parcel: Parcel) -> bool:
    """Mark a row done together with what came of it; False where nothing is to be written.

    For a consumer that goes on by another row: it is never handed over again once the next one is
    there. False: it was handed over anew meanwhile, or somebody ended it.
    """
    row = await tx.fetchval(
        "UPDATE outbox SET done_at = $3, error = NULL "
        "WHERE id = $1 AND attempts = $2 AND done_at IS NULL RETURNING id",
        parcel.id,
        parcel.attempts,
        tx.now(),
    )
    return row is not None


async def mark_failed(tx: Tx, parcel: Parcel, error: str) -> None:
    """Keep the row due, later each time: 1 s doubling to 5 minutes."""
    # 2**20 s is far past the longest; beyond 2**1023 it would be no number any more.
    delay_s = min(FIRST_DELAY_S * 2 ** min(parcel.attempts - 1, 20), LONGEST_DELAY_S)
    await tx.execute(
        "UPDATE outbox SET error = $2, due_at = $3 WHERE id = $1",
        parcel.id,
        storable(error),
        tx.now() + timedelta(seconds=delay_s),
    )


async def amend(tx: Tx, key: str, payload: dict[str, Any], *, due_at: datetime) -> None:
    """Let an open row say something else, and be due then."""
    await tx.execute(
        "UPDATE outbox SET payload = $2, due_at = $3 WHERE key = $1 AND done_at IS NULL",
        key,
        msgspec.json.encode(payload).decode(),
        due_at,
    )


async def settle(tx: Tx, key: str) -> None:
    """Have an open row done: what must follow has been seen to by somebody else."""
    await tx.execute(
        "UPDATE outbox SET done_at = $2, error = NULL WHERE key = $1 AND done_at IS NULL",
        key,
        tx.now(),
    )


async def next_due(tx: Tx) -> datetime | None:
    """Return when the earliest open row is due."""
    moment_due: datetime | None = await tx.fetchval(
        "SELECT min(due_at) FROM outbox WHERE done_at IS NULL"
    )
    return moment_due


async def forget_done(tx: Tx) -> None:
    """Delete rows that were handed over long ago; their consumers know their keys themselves."""
    await tx.execute("DELETE FROM outbox WHERE done_at < $1", tx.now() - DONE_KEPT)
