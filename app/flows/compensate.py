"""Compensation: what finished is undone in reverse order, each undo checkpointed on its own."""

import asyncio
from typing import Any, cast
from uuid import UUID

import msgspec
import structlog

from app.core.database import Database, Tx, storable
from app.core.outbox import emit
from app.flows import journal, lease
from app.flows.document import Document, NodeSpec, duration
from app.flows.node import DatabaseUndo, Effect, OutsideUndo, Step
from app.flows.registry import UnknownNodeType, node_type

log = structlog.get_logger()
RETRY = duration("30s")
UNDONE = "undo of "


class Undoable(msgspec.Struct, frozen=True):
    """A step that may have left something behind."""

    id: int
    scope: str
    node: str
    attempt: int
    key: str
    status: str


async def compensate(
    database: Database, tools: Any, claim: lease.Claim, document: Document
) -> None:
    """Undo the run's finished and half-done steps, newest first, and end it.

    It ends as cancelled when a person asked for that, else as failed. Safe to run again after
    a crash: an undone step is marked and undo is idempotent. An undo that fails is tried again
    later; the run stays `compensating` and says why, and staff are told once.
    """
    async with database.transaction() as tx:
        await lease.guard(tx, claim)
        row = await tx.fetchrow(
            "SELECT subject, cancel_requested FROM run WHERE id = $1", claim.run
        )
        if row is None:
            raise lease.Fenced
        await tx.execute("UPDATE run SET status = 'compensating' WHERE id = $1", claim.run)
        await tx.execute("DELETE FROM token WHERE run = $1", claim.run)
    while (step := await _next(database, claim, document)) is not None:
        context = Step(
            run=claim.run,
            about=row["subject"],
            now=database.clock.now(),
            node=step.node,
            scope=step.scope,
            attempt=step.attempt,
            key=step.key,
            memo={},
            started_at=database.clock.now(),
            database=database,
            tools=tools,
        )
        spec = document.nodes[step.node]
        try:
            await _undo(claim, context, step, spec)
        except lease.Fenced:
            raise
        except Exception as error:
            log.exception("undo.failed", run=str(claim.run), node=step.node)
            late = f"no answer within {spec.timeout.attempt}"
            reason = late if isinstance(error, TimeoutError) else str(error)
            await _try_later(database, claim, step, row["subject"], reason)
            return
    await _end(
        database, claim, row["subject"], "cancelled" if row["cancel_requested"] else "failed"
    )


async def _next(database: Database, claim: lease.Claim, document: Document) -> Undoable | None:
    """Return the newest step that is not undone.

    A failed call to the outside is one: nobody knows how far it came. A failed step in our own
    database is not, it was rolled back. A step of a type that is not installed is returned,
    so that its undo fails visibly.
    """
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT id, scope, node, attempt, idempotency_key AS key, status FROM step_attempt "
            "WHERE run = $1 AND status IN ('succeeded', 'started', 'waiting', 'failed') "
            "ORDER BY id DESC",
            claim.run,
        )
    for step in (Undoable(**row) for row in rows):
        spec = document.nodes[step.node]
        try:
            kind = node_type(spec.type, spec.v)
        except UnknownNodeType:
            return step
        left_nothing = step.status == "failed" and kind.effect is Effect.DATABASE
        if kind.undo is not None and not left_nothing:
            return step
    return None


async def _undo(claim: lease.Claim, step: Step, done: Undoable, spec: NodeSpec) -> None:
    kind = node_type(spec.type, spec.v)
    limit_s = duration(spec.timeout.attempt).total_seconds()
    async with step.database.snapshot() as reading:
        raw = await reading.fetchval("SELECT output FROM step_attempt WHERE id = $1", done.id)
    output = None if raw is None else msgspec.json.decode(raw)
    if kind.effect is Effect.OUTSIDE:
        async with asyncio.timeout(limit_s):
            await cast("OutsideUndo", kind.undo)(step, output)
    async with step.database.transaction() as tx:
        await lease.guard(tx, claim)
        if kind.effect is Effect.DATABASE:
            async with asyncio.timeout(limit_s):
                await cast("DatabaseUndo", kind.undo)(tx, step, output)
        await _mark(tx, claim, done)


async def _mark(tx: Tx, claim: lease.Claim, done: Undoable) -> None:
    await tx.execute("UPDATE step_attempt SET status = 'compensated' WHERE id = $1", done.id)
    await tx.execute(
        "INSERT INTO run_event (run, at, kind, scope, node, facts) "
        "VALUES ($1, $2, 'compensated', $3, $4, '{}')",
        claim.run,
        tx.now(),
        done.scope,
        done.node,
    )
    tx.publish(f"run:{claim.run}")


async def _try_later(
    database: Database, claim: lease.Claim, step: Undoable, subject: UUID, reason: str
) -> None:
    error = storable(f"{UNDONE}{step.node}: {reason}")
    async with database.transaction() as tx:
        await lease.guard(tx, claim)
        await tx.execute(
            "UPDATE run SET wake_at = $2, lease_owner = '', lease_until = NULL, error = $3 "
            "WHERE id = $1",
            claim.run,
            tx.now() + RETRY,
            error,
        )
        await emit(
            tx,
            "admin.notice",
            f"undo:{claim.run}:{step.scope}:{step.node}",
            {
                "subject": str(subject),
                "title": f"A run cannot undo {step.node}",
                "text": f"{error} — it is tried again every {RETRY.seconds} s until it works.",
            },
        )
        tx.publish("dashboard", f"order:{subject}", f"run:{claim.run}")


async def _end(database: Database, claim: lease.Claim, subject: UUID, status: str) -> None:
    async with database.transaction() as tx:
        await lease.guard(tx, claim)
        await journal.add_event(tx, claim.run, status)
        await lease.finish(tx, claim, status, await _reason(tx, claim.run))
        await emit(
            tx,
            "run.ended",
            f"run.ended:{claim.run}",
            {"run": str(claim.run), "subject": str(subject), "status": status},
        )
        tx.publish("dashboard", f"order:{subject}", f"run:{claim.run}")


async def _reason(tx: Tx, run: UUID) -> str:
    """Return why the run is undone: not an undo that failed at first and has worked since."""
    error: str = await tx.fetchval("SELECT error FROM run WHERE id = $1", run)
    if not error.startswith(UNDONE):
        return error
    failed: str | None = await tx.fetchval(
        "SELECT facts->>'error' FROM run_event WHERE run = $1 AND kind = 'failed' AND node <> '' "
        "ORDER BY seq DESC LIMIT 1",
        run,
    )
    return failed or ""
