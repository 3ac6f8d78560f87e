"""Who drives a run: a lease in the database, with an epoch that fences the one who lost it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.outbox import emit

OPEN = ("queued", "running", "waiting", "compensating")


class Fenced(Exception):
    """Another worker has taken the run since; nothing of this one's may be written any more."""


class Claim(msgspec.Struct, frozen=True):
    """A leased run. Every write names `epoch`."""

    run: UUID
    epoch: int
    flow_version: UUID
    status: str
    subject: UUID | None
    subject_kind: str
    input: dict[str, Any]
    parent: UUID | None
    is_cancelled: bool
    is_again: bool = False

    @property
    def is_fresh(self) -> bool:
        """Nothing of it has ever been done."""
        return self.epoch == 1 and not self.is_again


_CLAIMED = (
    "run.id AS run, epoch, flow_version, status, subject, subject_kind, input, parent, "
    "cancel_requested AS is_cancelled"
)


def _claim(row: Any) -> Claim:
    return Claim(**{**dict(row), "input": msgspec.json.decode(row["input"])})


async def claim_due(tx: Tx, *, owner: str, lease_s: float, limit: int) -> list[Claim]:
    """Lease up to `limit` runs that are due and that nobody drives; one statement."""
    rows = await tx.fetch(
        # Materialized: a plan may run a sub-select again for each row, and claim more than asked.
        "WITH due AS MATERIALIZED (SELECT id FROM run WHERE status = ANY($4) AND wake_at <= $2 "
        "AND (lease_until IS NULL OR lease_until < $2) "
        "ORDER BY wake_at LIMIT $5 FOR UPDATE SKIP LOCKED) "
        "UPDATE run SET lease_owner = $1, lease_until = $2::timestamptz + $3::interval, "
        "epoch = epoch + 1, steered = false, started_at = COALESCE(started_at, $2), "
        "status = CASE status WHEN 'compensating' THEN status ELSE 'running' END "
        "FROM due WHERE run.id = due.id "
        f"RETURNING {_CLAIMED}",
        owner,
        tx.now(),
        timedelta(seconds=lease_s),
        list(OPEN),
        limit,
    )
    return [_claim(row) for row in rows]


async def claim_again(tx: Tx, run: UUID, epoch: int) -> Claim:
    """Return our own claim as the run stands now. Raises Fenced when it is ours no more."""
    row = await tx.fetchrow(
        "UPDATE run SET steered = false WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL "
        f"RETURNING {_CLAIMED}",
        run,
        epoch,
    )
    if row is None:
        raise Fenced
    return msgspec.structs.replace(_claim(row), is_again=True)


async def halt(tx: Tx, run: UUID, epoch: int, reason: str) -> None:
    """Halt all of a run that cannot be driven, and tell staff; a retry goes on where it stood."""
    await tx.execute(
        "UPDATE token SET doubt = doubt OR state = 'started', state = 'halted', wake_at = NULL "
        "WHERE run = $1 AND state <> 'inside'",
        run,
    )
    await tx.execute(
        "UPDATE run SET status = 'halted', wake_at = NULL, error = $2, lease_owner = '', "
        "lease_until = NULL WHERE id = $1",
        run,
        reason,
    )
    await emit(
        tx,
        "admin.notice",
        f"halted:{run}:run:{epoch}",
        {
            "kind": "run.halted",
            "run": str(run),
            "subject": str(run),
            "path": f"/admin/runs/{run}",
            "title": "A run cannot go on",
            "text": reason,
        },
    )
    tx.publish("dashboard", f"run:{run}")


async def look(tx: Tx, run: UUID, epoch: int) -> bool:
    """Return whether the run is to be undone, without locking it. Raises Fenced.

    What is written afterwards is tested again by the statement that writes it.
    """
    ends: bool | None = await tx.fetchval(
        "SELECT cancel_requested OR status = 'compensating' FROM run "
        "WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL",
        run,
        epoch,
    )
    if ends is None:
        raise Fenced
    return ends


async def renew(tx: Tx, held: list[tuple[UUID, int]], *, lease_s: float) -> set[UUID]:
    """Extend the leases of the (run, epoch) that we hold; returns the runs that are still ours.

    A run whose row is locked is passed over: who holds the lock keeps others off it as well.
    """
    runs, epochs = [run for run, _ in held], [epoch for _, epoch in held]
    await tx.execute(
        "UPDATE run SET lease_until = $3 WHERE id IN (SELECT run.id FROM run "
        "JOIN unnest($1::uuid[], $2::bigint[]) AS mine (id, epoch) ON run.id = mine.id "
        "AND run.epoch = mine.epoch WHERE run.lease_until IS NOT NULL "
        "FOR NO KEY UPDATE OF run SKIP LOCKED)",
        runs,
        epochs,
        tx.now() + timedelta(seconds=lease_s),
    )
    rows = await tx.fetch(
        "SELECT run.id FROM run JOIN unnest($1::uuid[], $2::bigint[]) AS mine (id, epoch) "
        "ON run.id = mine.id AND run.epoch = mine.epoch WHERE run.lease_until IS NOT NULL",
        runs,
        epochs,
    )
    return {row["id"] for row in rows}


async def guard(tx: Tx, run: UUID, epoch: int) -> bool:
    """Lock the run's row and make sure that it is still ours.

    Returns whether the run is to be undone: then no step may begin any more.
    """
    ends: bool | None = await tx.fetchval(
        "SELECT cancel_requested OR status = 'compensating' FROM run "
        "WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL FOR UPDATE",
        run,
        epoch,
    )
    if ends is None:
        raise Fenced
    return ends


async def sleep_undoing(tx: Tx, run: UUID, until: datetime) -> None:
    """Give the lease back while an undo is not through; its row has been locked by `guard`."""
    await tx.execute(
        "UPDATE run SET wake_at = $2, lease_owner = '', lease_until = NULL WHERE id = $1",
        run,
        until,
    )


async def is_steered(tx: Tx, run: UUID) -> bool:
    """Return whether a person has changed the run's tokens since it was read."""
    return bool(await tx.fetchval("SELECT steered FROM run WHERE id = $1", run))


async def finish(tx: Tx, run: UUID, status: str, error: str = "") -> None:
    """End the run and the lease; its row has been locked by `guard`."""
    await tx.execute(
        "UPDATE run SET status = $2, error = $3, finished_at = $4, wake_at = NULL, "
        "lease_owner = '', lease_until = NULL WHERE id = $1",
        run,
        status,
        storable(error),
        tx.now(),
    )
