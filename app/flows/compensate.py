"""Compensation: what finished is undone in reverse order, each undo checkpointed on its own."""

import asyncio
import contextlib
from datetime import timedelta
from typing import Any, cast
from uuid import UUID

import msgspec
import structlog

from app.core.database import Database, Tx, storable
from app.core.outbox import emit
from app.flows import lease, recall
from app.flows.chart import Chart
from app.flows.course import Course
from app.flows.expressions import references, resolve
from app.flows.node import (
    DatabaseDo,
    DatabaseUndo,
    Done,
    Effect,
    NodeType,
    OutsideDo,
    OutsideUndo,
    PureDo,
    Step,
    StepFailed,
    Wait,
)
from app.flows.registry import UnknownNodeType, node_type

log = structlog.get_logger()
FIRST_PAUSE = timedelta(seconds=2)
LONGEST_PAUSE = timedelta(minutes=5)
PAGE = 100
NEWEST = 2**63 - 1
UNDONE = "undo of "
NEVER = "none"
"""As a node's `compensate`: the step stays as it is."""


class Undoable(msgspec.Struct, frozen=True):
    """A step that may have left something behind. `output` is None when nobody knows."""

    id: int
    scope: str
    node: str
    type: str
    version: int
    attempt: int
    key: str
    status: str


async def compensate(database: Database, tools: Any, course: Course) -> None:
    """Undo the run's finished and half-done steps, newest first, and end it.

    It ends as cancelled when a person asked for that, else as failed. Safe to run again after
    a crash: an undone step is marked and undo is idempotent. An undo that fails is tried again
    later, ever more slowly; the run stays `compensating` and says why, and staff are told once.
    """
    async with database.transaction() as tx:
        await lease.guard(tx, course.id, course.epoch)
        is_cancelled: bool = await tx.fetchval(
            "UPDATE run SET status = 'compensating', error = CASE WHEN $2 = '' THEN error "
            "ELSE $2 END WHERE id = $1 RETURNING cancel_requested",
            course.id,
            course.error,
        )
        await tx.execute("DELETE FROM token WHERE run = $1", course.id)
    before = NEWEST
    while (step := await _next(database, course, before)) is not None:
        before = step.id
        try:
            if not await _undo(database, tools, course, step):
                return
        except lease.Fenced:
            raise
        except Exception as error:
            log.exception("undo.failed", run=str(course.id), node=step.node)
            late = f"no answer within {_limit_text(course.chart, step)}"
            reason = late if isinstance(error, TimeoutError) else str(error)
            await _try_later(database, course, step, reason)
            return
    await _end(database, course, "cancelled" if is_cancelled else "failed")


async def _next(database: Database, course: Course, before: int) -> Undoable | None:
    """Return the newest step older than `before` that is not undone.

    A failed call to the outside is one: nobody knows how far it came. A failed step in our own
    database is not, it was rolled back, unless it waited: what it did until then is committed. A
    step of a type that is not installed is returned, so that its undo fails visibly.
    """
    while True:
        async with database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT id, scope, node, type, version, attempt, idempotency_key AS key, status "
                "FROM step_attempt WHERE run = $1 AND id < $2 AND status IN "
                "('succeeded', 'started', 'waiting', 'failed', 'ambiguous') AND port <> 'item' "
                "ORDER BY id DESC LIMIT $3",
                course.id,
                before,
                PAGE,
            )
        for step in (Undoable(**row) for row in rows):
            if _is_undoable(course.chart, step) and await _left_anything(database, course, step):
                return step
            before = step.id
        if len(rows) < PAGE:
            return None


def _is_undoable(chart: Chart, step: Undoable) -> bool:
    custom = _custom(chart, step)
    if custom == NEVER:
        return False
    try:
        kind = _kind(chart, step)
    except UnknownNodeType:
        return True
    return kind.undo is not None or custom is not None


async def _left_anything(database: Database, course: Course, step: Undoable) -> bool:
    """Return whether the step may have done something that the database did not roll back."""
    with contextlib.suppress(UnknownNodeType):
        if step.status == "failed" and _kind(course.chart, step).effect is Effect.DATABASE:
            async with database.snapshot() as tx:
                return bool(
                    await tx.fetchval(
                        "SELECT EXISTS (SELECT FROM run_event WHERE run = $1 AND scope = $2 "
                        "AND node = $3 AND kind = 'waiting')",
                        course.id,
                        step.scope,
                        step.node,
                    )
                )
    return True


def _custom(chart: Chart, step: Undoable) -> str | None:
    """Return the node that stands in for the type's undo, `none`, or None."""
    stop = chart.stops.get(step.node)
    return stop.spec.compensate if stop is not None else None


def _kind(chart: Chart, step: Undoable) -> NodeType:
    """Return the type that the step was when it was done; the flow may have changed since."""
    if step.type:
        return node_type(step.type, step.version)
    spec = chart[step.node].spec  # done by a release that did not write its type down
    return node_type(spec.type, spec.v)


def _limit_s(chart: Chart, step: Undoable) -> float:
    stop = chart.stops.get(step.node)
    return stop.attempt_s if stop is not None else 300.0


def _limit_text(chart: Chart, step: Undoable) -> str:
    stop = chart.stops.get(step.node)
    return stop.spec.timeout.attempt if stop is not None else "5m"


async def _undo(database: Database, tools: Any, course: Course, done: Undoable) -> bool:
    """Return whether the step is undone; else the run sleeps until it is looked at again."""
    if _custom(course.chart, done) is not None:
        await _do_instead(database, tools, course, done)
        return True
    output = await _output_of(database, done)
    kind = _kind(course.chart, done)
    step = _step(database, tools, course, done)
    limit_s = _limit_s(course.chart, done)
    wait: Wait | None = None
    if kind.effect is Effect.OUTSIDE:
        async with asyncio.timeout(limit_s):
            wait = await cast("OutsideUndo", kind.undo)(step, output)
    async with database.transaction() as tx:
        await lease.guard(tx, course.id, course.epoch)
        if kind.effect is Effect.DATABASE:
            async with asyncio.timeout(limit_s):
                wait = await cast("DatabaseUndo", kind.undo)(tx, step, output)
        if wait is None:
            await _mark(tx, course, done)
        else:
            await lease.sleep_undoing(tx, course.id, wait.until)
            course.sleeps_until = wait.until
    return wait is None


async def _output_of(database: Database, done: Undoable) -> Any:
    async with database.snapshot() as tx:
        raw = await tx.fetchval(
            f"SELECT {recall.OUTPUT} FROM step_attempt a LEFT JOIN run_blob b ON b.id = a.blob "
            "WHERE a.id = $1",
            done.id,
        )
    return None if raw is None else msgspec.json.decode(raw)


async def _do_instead(database: Database, tools: Any, course: Course, done: Undoable) -> None:
    """Do the node that the flow names in place of the type's undo. It must not wait.

    A step that never finished is left alone: the node may need its output.
    """
    custom = _custom(course.chart, done)
    if done.status == "succeeded" and custom is not None:
        spec = course.chart[custom].spec
        kind = node_type(spec.type, spec.v)
        refers = references(spec.params)
        async with database.snapshot() as tx:
            await recall.read_around(tx, course, done.scope)
            await recall.read_outputs(tx, course.id, course, course.seen(refers, done.scope))
        wants_item = course.chart[custom].wants_item
        names = course.names(refers, done.scope, wants_item=wants_item)
        params = msgspec.convert(resolve(spec.params, names), kind.params)
        step = _step(database, tools, course, done, node=custom, names=names)
        limit_s = course.chart[custom].attempt_s
        if kind.effect is Effect.DATABASE:
            async with database.transaction() as tx:
                await lease.guard(tx, course.id, course.epoch)
                async with asyncio.timeout(limit_s):
                    result = await cast("DatabaseDo", kind.do)(tx, step, params)
                _require_done(result, custom)
                await _mark(tx, course, done)
            return
        async with asyncio.timeout(limit_s):
            if kind.effect is Effect.PURE:
                result = cast("PureDo", kind.do)(step, params)
            else:
                result = await cast("OutsideDo", kind.do)(step, params)
        _require_done(result, custom)
    async with database.transaction() as tx:
        await lease.guard(tx, course.id, course.epoch)
        await _mark(tx, course, done)


def _require_done(result: object, node: str) -> None:
    if not isinstance(result, Done):
        raise StepFailed(f"{node} undoes another step and cannot wait")


def _step(
    database: Database,
    tools: Any,
    course: Course,
    done: Undoable,
    *,
    node: str | None = None,
    names: dict[str, Any] | None = None,
) -> Step:
    now = database.clock.now()
    return Step(
        run=course.id,
        about=course.subject,
        node=node or done.node,
        scope=done.scope,
        attempt=done.attempt,
        key=done.key if node is None else course.key((done.scope, node)),
        memo={},
        started_at=now,
        database=database,
        tools=tools,
        now=now,
        input=course.input,
        names=names or {},
    )


async def _mark(tx: Tx, course: Course, done: Undoable) -> None:
    await tx.execute("UPDATE step_attempt SET status = 'compensated' WHERE id = $1", done.id)
    await tx.execute(
        "UPDATE run_resource SET state = 'returned', ended_at = $4 "
        "WHERE run = $1 AND scope = $2 AND node = $3 AND state = 'taken'",
        course.id,
        done.scope,
        done.node,
        tx.now(),
    )
    await tx.execute("UPDATE run SET undo_tries = 0 WHERE id = $1 AND undo_tries > 0", course.id)
    await tx.execute(
        "INSERT INTO run_event (run, at, kind, scope, node, facts) "
        "VALUES ($1, $2, 'compensated', $3, $4, '{}')",
        course.id,
        tx.now(),
        done.scope,
        done.node,
    )
    tx.publish(f"run:{course.id}")


async def _try_later(database: Database, course: Course, step: Undoable, reason: str) -> None:
    error = storable(f"{UNDONE}{step.node}: {reason}")
    async with database.transaction() as tx:
        await lease.guard(tx, course.id, course.epoch)
        tries: int = await tx.fetchval(
            "UPDATE run SET undo_tries = undo_tries + 1, lease_owner = '', lease_until = NULL, "
            "error = $2 WHERE id = $1 RETURNING undo_tries",
            course.id,
            error,
        )
        pause = min(FIRST_PAUSE * 2 ** min(tries - 1, 20), LONGEST_PAUSE)
        await tx.execute("UPDATE run SET wake_at = $2 WHERE id = $1", course.id, tx.now() + pause)
        await emit(
            tx,
            "admin.notice",
            f"undo:{course.id}:{step.scope}:{step.node}",
            {
                "kind": "run.undo_failed",
                "run": str(course.id),
                "subject": str(course.subject or course.id),
                "path": f"/admin/runs/{course.id}",
                "title": f"A run cannot undo {step.node}",
                "text": f"{error} — it is tried again, at least every "
                f"{LONGEST_PAUSE.seconds // 60} minutes, until it works.",
            },
        )
        tx.publish("dashboard", *_topics(course))


async def _end(database: Database, course: Course, status: str) -> None:
    async with database.transaction() as tx:
        await lease.guard(tx, course.id, course.epoch)
        await tx.execute(
            "INSERT INTO run_event (run, at, kind, facts) VALUES ($1, $2, $3, '{}')",
            course.id,
            tx.now(),
            status,
        )
        await lease.finish(tx, course.id, status, await _reason(tx, course.id))
        await emit(
            tx,
            "run.ended",
            f"run.ended:{course.id}",
            {
                "run": str(course.id),
                "status": status,
                "subject": None if course.subject is None else str(course.subject),
                "kind": course.subject_kind,
                "parent": None if course.parent is None else str(course.parent),
            },
        )
        tx.publish("dashboard", *_topics(course))


def _topics(course: Course) -> list[str]:
    topics = [f"run:{course.id}"]
    if course.subject is not None:
        topics.append(f"{course.subject_kind}:{course.subject}")
    return topics


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
