"""Who drives a run: a lease in the database, with an epoch that fences the one who lost it."""

from datetime import timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.flows.signals import all_quiet

OPEN = ("queued", "running", "waiting", "compensating")


class Fenced(Exception):
    """Another worker has taken the run since; nothing of this one's may be written any more."""


class Claim(msgspec.Struct, frozen=True):
    """A leased run. Every write names `epoch`."""

    run: UUID
    epoch: int


async def claim_due(tx: Tx, *, owner: str, lease_s: float, limit: int) -> list[Claim]:
    """Lease up to `limit` runs that are due and that nobody drives; one statement."""
    rows = await tx.fetch(
        "UPDATE run SET lease_owner = $1, lease_until = $2::timestamptz + $3::interval, "
        "epoch = epoch + 1, started_at = COALESCE(started_at, $2), "
        "status = CASE status WHEN 'compensating' THEN status ELSE 'running' END "
        "WHERE id IN (SELECT id FROM run WHERE status = ANY($4) AND wake_at <= $2 "
        "AND (lease_until IS NULL OR lease_until < $2) "
        "ORDER BY wake_at LIMIT $5 FOR UPDATE SKIP LOCKED) RETURNING id, epoch",
        owner,
        tx.now(),
        timedelta(seconds=lease_s),
        list(OPEN),
        limit,
    )
    return [Claim(row["id"], row["epoch"]) for row in rows]


async def renew(tx: Tx, claims: list[Claim], *, lease_s: float) -> set[UUID]:
    """Extend the leases; returns the runs that are still ours."""
    rows = await tx.fetch(
        "UPDATE run SET lease_until = $3 FROM unnest($1::uuid[], $2::bigint[]) AS mine (id, epoch) "
        "WHERE run.id = mine.id AND run.epoch = mine.epoch AND run.lease_until IS NOT NULL "
        "RETURNING run.id",
        [claim.run for claim in claims],
        [claim.epoch for claim in claims],
        tx.now() + timedelta(seconds=lease_s),
    )
    return {row["id"] for row in rows}


async def guard(tx: Tx, claim: Claim) -> bool:
    """Lock the run's row and make sure that it is still ours; every write begins with it.

    Returns whether the run is to be undone: then no step may begin any more.
    """
    ends: bool | None = await tx.fetchval(
        "SELECT cancel_requested OR status = 'compensating' FROM run "
        "WHERE id = $1 AND epoch = $2 AND lease_until IS NOT NULL FOR UPDATE",
        claim.run,
        claim.epoch,
    )
    if ends is None:
        raise Fenced
    return ends


async def let_go(tx: Tx, claim: Claim) -> bool:
    """Put the run to sleep until its next token is due; returns False when one is due already.

    The caller has locked the row by `guard`, so that a signal is either seen here or wakes the
    run afterwards.
    """
    if not await all_quiet(tx, claim.run):
        return False
    due = await tx.fetchrow(
        "SELECT min(CASE state WHEN 'waiting' THEN wake_at ELSE $2 END) AS wake_at, "
        "bool_or(EXISTS (SELECT 1 FROM run_signal s WHERE s.signal_key = token.signal_key "
        "AND token.signal_key <> '' AND s.consumed_at IS NULL)) AS rung "
        "FROM token WHERE run = $1 AND state NOT IN ('halted', 'inside')",
        claim.run,
        tx.now(),
    )
    wake_at = due["wake_at"] if due else None
    if due is None or wake_at is None:  # only halted tokens are left; a person goes on from here
        await _sleep(tx, claim, status="halted", wake_at=None)
        return True
    if wake_at <= tx.now() or due["rung"]:
        return False
    await _sleep(tx, claim, status="waiting", wake_at=wake_at)
    return True


async def _sleep(tx: Tx, claim: Claim, *, status: str, wake_at: object) -> None:
    await tx.execute(
        "UPDATE run SET status = $2, wake_at = $3, lease_owner = '', lease_until = NULL "
        "WHERE id = $1",
        claim.run,
        status,
        wake_at,
    )


async def finish(tx: Tx, claim: Claim, status: str, error: str = "") -> None:
    """End the run and the lease."""
    await tx.execute(
        "UPDATE run SET status = $2, error = $3, finished_at = $4, wake_at = NULL, "
        "lease_owner = '', lease_until = NULL WHERE id = $1",
        claim.run,
        status,
        storable(error),
        tx.now(),
    )
