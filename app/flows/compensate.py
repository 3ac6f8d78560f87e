"""Compensation: what finished is undone in reverse order, each undo checkpointed on its own."""

from typing import Any, cast

import msgspec
import structlog

from app.core.database import Database, Tx
from app.core.outbox import emit
from app.flows import journal, lease
from app.flows.document import Document, duration
from app.flows.node import DatabaseUndo, Effect, NodeType, OutsideUndo, Step
from app.flows.registry import node_type

log = structlog.get_logger()
RETRY_S = 30


class Undoable(msgspec.Struct, frozen=True):
    """A step that left something behind."""

    id: int
    scope: str
    node: str
    attempt: int
    key: str
    output: Any
    status: str


async def compensate(
    database: Database, tools: Any, claim: lease.Claim, document: Document, status: str
) -> None:
    """Undo the run's finished and half-done steps, newest first, and end it as `status`.

    Safe to run again after a crash: an undone step is marked and undo is idempotent. An undo
    that fails is tried again later; the run stays `compensating` and says why.
    """
    async with database.transaction() as tx:
        await lease.guard(tx, claim)
        row = await tx.fetchrow(
            "SELECT subject, status, cancel_requested FROM run WHERE id = $1", claim.run
        )
        if row is None:
            raise lease.Fenced
        final = (
            "failed" if row["status"] == "compensating" and not row["cancel_requested"] else status
        )
        await tx.execute("UPDATE run SET status = 'compensating' WHERE id = $1", claim.run)
        await tx.execute("DELETE FROM token WHERE run = $1", claim.run)
    while (step := await _next(database, claim, document)) is not None:
        kind = node_type(document.nodes[step.node].type, document.nodes[step.node].v)
        try:
            context = Step(
                run=claim.run,
                subject=row["subject"],
                node=step.node,
                scope=step.scope,
                attempt=step.attempt,
                key=step.key,
                memo={},
                started_at=database.clock.now(),
                database=database,
                tools=tools,
            )
            await _undo(claim, context, step, kind)
        except lease.Fenced:
            raise
        except Exception as error:
            log.exception("undo.failed", run=str(claim.run), node=step.node)
            await _try_later(database, claim, step, error)
            return
    async with database.transaction() as tx:
        await lease.guard(tx, claim)
        await journal.add_event(tx, claim.run, final)
        reason: str = await tx.fetchval("SELECT error FROM run WHERE id = $1", claim.run)
        await lease.finish(tx, claim, final, reason)
        await emit(
            tx,
            "run.ended",
            f"run.ended:{claim.run}",
            {"run": str(claim.run), "subject": str(row["subject"]), "status": final},
        )
        tx.publish("dashboard", f"order:{row['subject']}", f"run:{claim.run}")


async def _next(database: Database, claim: lease.Claim, document: Document) -> Undoable | None:
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT id, scope, node, attempt, idempotency_key AS key, output, status "
            "FROM step_attempt WHERE run = $1 AND status IN ('succeeded', 'started', 'waiting') "
            "ORDER BY id DESC",
            claim.run,
        )
    for row in rows:
        spec = document.nodes[row["node"]]
        if node_type(spec.type, spec.v).undo is not None:
            output = msgspec.json.decode(row["output"]) if row["output"] else None
            return Undoable(**{**row, "output": output})
    return None


async def _undo(claim: lease.Claim, step: Step, done: Undoable, kind: NodeType) -> None:
    if kind.effect is Effect.OUTSIDE:
        await cast("OutsideUndo", kind.undo)(step, done.output)
    async with step.database.transaction() as tx:
        await lease.guard(tx, claim)
        if kind.effect is Effect.DATABASE:
            await cast("DatabaseUndo", kind.undo)(tx, step, done.output)
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


async def _try_later(
    database: Database, claim: lease.Claim, step: Undoable, error: Exception
) -> None:
    async with database.transaction() as tx:
        await lease.guard(tx, claim)
        await tx.execute(
            "UPDATE run SET wake_at = $2, lease_owner = '', lease_until = NULL, error = $3 "
            "WHERE id = $1",
            claim.run,
            tx.now() + duration(f"{RETRY_S}s"),
            f"undo of {step.node}: {error}"[:2000],
        )
