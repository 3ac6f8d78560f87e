"""What a person may do to a run: retry, resume with other input or a fixed flow, settle, decide.

A run that a worker holds is steered all the same: the worker reads it anew at its next stop.
"""

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Any
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound, Refusal
from app.domain.audit.record import record
from app.flows.change import to_json
from app.flows.document import Document, parse
from app.flows.find import in_doubt
from app.flows.scopes import chain, parse_scope
from app.flows.signals import send_signal
from app.flows.start import DOORBELL

ENDED = ("succeeded", "failed", "cancelled")
_IN_DOUBT = (
    "EXISTS (SELECT FROM step_attempt a WHERE a.run = t.run AND a.scope = t.scope "
    "AND a.node = t.node AND a.attempt = t.attempt AND a.status = 'ambiguous')"
)


class CannotMove(Refusal):
    code = "flow.cannot_move"

    def __init__(self, run: UUID, nodes: Iterable[str]) -> None:
        self.run = run
        self.nodes = sorted(nodes)
        super().__init__(
            f"The run stands at {', '.join(self.nodes)}, which the other version does not have in "
            "the same place. Publish a version that has, or choose another one."
        )


class By(msgspec.Struct, frozen=True):
    """The person who steers, for the audit."""

    account: UUID | None
    label: str


async def retry_halted(tx: Tx, run: UUID, *, by: By | None = None) -> None:
    """Let the halted steps of a run be tried again, as new attempts."""
    await resume(tx, run, by=by)


class Fate(StrEnum):
    """What became of a run that was to be tried again."""

    started = "started"
    """Its halted steps are tried again."""

    in_doubt = "in_doubt"
    """Nobody knows what became of a step of it; settle that first. Nothing was done."""

    not_halted = "not_halted"
    """No step of it is halted; it may have gone on already."""

    unknown = "unknown"
    """There is no such run."""


async def retry_many(tx: Tx, runs: Iterable[UUID], *, by: By | None = None) -> dict[UUID, Fate]:
    """Retry those of the runs that have a halted step and none in doubt; says what became of each.

    They are taken in the order of their ids, as by everybody who locks several runs.
    """
    wanted = sorted(set(runs))
    doubtful = await in_doubt(tx, wanted)
    fates: dict[UUID, Fate] = {}
    for run in wanted:
        if run in doubtful:
            fates[run] = Fate.in_doubt
            continue
        try:
            await resume(tx, run, by=by)
        except NotFound:
            fates[run] = Fate.unknown
        except Conflict:
            fates[run] = Fate.not_halted
        else:
            fates[run] = Fate.started
    return fates


async def resume(
    tx: Tx,
    run: UUID,
    *,
    edits: Mapping[tuple[str, str], Mapping[str, Any]] | None = None,
    version: UUID | None = None,
    by: By | None = None,
) -> None:
    """Go on from the halted steps. What is finished is not done again.

    `edits` gives the parameters of a step, by (scope, node), in place of the document's; they
    may hold expressions. `version` moves the run to another version of its flow, whose nodes
    must be where the run stands. A step that nobody knows the outcome of stays halted until it
    is settled. Raises Conflict when nothing else is halted, CannotMove.
    """
    row = await _lock(tx, run)
    halted = await tx.fetch(
        "SELECT t.scope, t.node, "
        "coalesce(nullif(v.document->'nodes'->t.node->>'name', ''), t.node) AS step "
        "FROM token t JOIN run r ON r.id = t.run JOIN flow_version v ON v.id = r.flow_version "
        f"WHERE t.run = $1 AND t.state = 'halted' AND NOT {_IN_DOUBT}",
        run,
    )
    if not halted:
        in_doubt = await tx.fetchval(
            f"SELECT t.node FROM token t WHERE t.run = $1 AND t.state = 'halted' AND {_IN_DOUBT}",
            run,
        )
        if in_doubt is not None:
            raise Conflict(
                f"Nobody knows whether {in_doubt} was done. Look at its target and settle the "
                "step: say that it happened, or that it did not."
            )
        raise Conflict("No step of this run is halted; it may have gone on already.")
    places = {(token["scope"], token["node"]) for token in halted}
    for place in edits or {}:
        if place not in places:
            raise Conflict(f"{place[1]} in {place[0]} is not halted; only a halted step is edited.")
    if version is not None:
        await _move(tx, run, row, version)
    await tx.execute(
        # A container keeps its iteration: its body is not run again.
        "UPDATE token t SET state = 'ready', attempt = attempt + 1, since = NULL, "
        "heard = NULL, memo = jsonb_strip_nulls(jsonb_build_object('iteration', memo->'iteration', "
        "'look', memo->'look', 'begun', memo->'begun', 'ended', memo->'ended', "
        "'failed', memo->'failed', 'gather', memo->'gather')) "
        f"WHERE run = $1 AND state = 'halted' AND NOT {_IN_DOUBT}",
        run,
    )
    for (scope, node), params in (edits or {}).items():
        await tx.execute(
            "UPDATE token SET override = $4 WHERE run = $1 AND scope = $2 AND node = $3",
            run,
            scope,
            node,
            to_json(dict(params)),
        )
    await _wake(tx, run)
    facts = {"edited": [f"{scope}:{node}" for scope, node in edits or {}]} if edits else {}
    await _note(tx, run, "retried", facts)
    step = ", ".join(sorted(token["step"] for token in halted))
    before = {"status": row["status"], "step": step, "error": row["error"]}
    await _audit(tx, run, by, "run.retried", before=before, after={"status": "running", **facts})


async def settle(
    tx: Tx,
    run: UUID,
    *,
    scope: str,
    node: str,
    happened: bool,
    output: Any = None,
    by: By | None = None,
) -> None:
    """Say what became of a step that nobody knew the outcome of.

    It happened: it counts as done, with `output`. It did not: it is tried again, as a new
    attempt. Raises Conflict when no such step is in doubt.
    """
    await _lock(tx, run)
    token = await tx.fetchrow(
        "SELECT id, attempt FROM token WHERE run = $1 AND scope = $2 AND node = $3 "
        "AND state = 'halted' AND doubt",
        run,
        scope,
        node,
    )
    if token is None:
        raise Conflict(f"{node} in {scope} is not in doubt; it may have been settled already.")
    if happened:
        # The worker takes the word for the outcome and goes on from there.
        await tx.execute(
            "UPDATE token SET state = 'ready', doubt = false, heard = $2 WHERE id = $1",
            token["id"],
            to_json([{"settled": True, "output": output}]),
        )
    else:
        await tx.execute(
            "UPDATE token SET state = 'ready', doubt = false, heard = NULL, since = NULL, "
            "attempt = attempt + 1, memo = '{}' WHERE id = $1",
            token["id"],
        )
    await _wake(tx, run)
    await _note(tx, run, "settled", {"happened": happened}, (scope, node))
    found = {"scope": scope, "node": node, "happened": happened}
    await _audit(tx, run, by, "run.settled", after=found)


async def decide(
    tx: Tx,
    run: UUID,
    *,
    scope: str,
    node: str,
    decision: str,
    note: str = "",
    by: By | None = None,
) -> None:
    """Answer a step that waits for approval. Raises Conflict when it does not wait (any more)."""
    if decision not in ("approved", "rejected"):
        raise Refusal("A decision is approved or rejected.")
    await _lock(tx, run)
    key = f"approval:{run}:{scope}:{node}"
    waits = await tx.fetchval(
        "SELECT true FROM token WHERE run = $1 AND signal_key = $2 AND state = 'waiting' "
        "AND NOT EXISTS (SELECT FROM run_signal WHERE signal_key = $2 AND consumed_at IS NULL)",
        run,
        key,
    )
    if waits is None:
        raise Conflict(f"{node} does not wait for a decision; it may have got one already.")
    await send_signal(tx, key, {"decision": decision, "note": note, "by": by.label if by else ""})
    await _note(tx, run, "decided", {"decision": decision, "note": note}, (scope, node))
    place = {"scope": scope, "node": node}
    await _audit(tx, run, by, f"run.{decision}", after=place, reason=note)


async def cancel_run(tx: Tx, run: UUID, *, by: By | None = None, reason: str = "") -> None:
    """Ask the run to undo what it did and end; looked at at every commit and wake-up.

    Raises Conflict when it has ended already.
    """
    if not await cancel_if_open(tx, run, by=by, reason=reason):
        raise Conflict("This run has already ended.")


async def cancel_if_open(tx: Tx, run: UUID, *, by: By | None = None, reason: str = "") -> bool:
    """Do the same, and return whether there was anything left to cancel."""
    row = await _lock(tx, run)
    if row["status"] in ENDED:
        return False
    await tx.execute(
        "UPDATE run SET cancel_requested = true, wake_at = $2, "
        "status = CASE status WHEN 'halted' THEN 'waiting' ELSE status END WHERE id = $1",
        run,
        tx.now(),
    )
    tx.publish(DOORBELL, "dashboard", f"run:{run}")
    before, after = {"status": row["status"]}, {"status": "being cancelled"}
    await _audit(tx, run, by, "run.cancel_requested", before=before, after=after, reason=reason)
    return True


async def undo_run(tx: Tx, run: UUID) -> bool:
    """Have a run undo what it did, though it may have succeeded; returns whether it has."""
    row = await _lock(tx, run)
    if row["status"] in ("failed", "cancelled"):
        return True
    await tx.execute(
        "UPDATE run SET cancel_requested = true, wake_at = $2, finished_at = NULL, "
        "status = CASE WHEN status IN ('succeeded', 'halted') THEN 'compensating' ELSE status END "
        "WHERE id = $1 AND NOT (status = 'compensating' AND cancel_requested)",
        run,
        tx.now(),
    )
    tx.publish(DOORBELL, "dashboard", f"run:{run}")
    return False


async def _audit(
    tx: Tx,
    run: UUID,
    by: By | None,
    action: str,
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any],
    reason: str = "",
) -> None:
    if by is not None:
        await record(
            tx,
            actor=by.account,
            actor_label=by.label,
            action=action,
            subject_kind="run",
            subject=run,
            before=dict(before or {}),
            after=dict(after),
            reason=reason,
        )


async def _lock(tx: Tx, run: UUID) -> asyncpg.Record:
    row = await tx.fetchrow(
        "SELECT status, error, flow_version FROM run WHERE id = $1 FOR UPDATE", run
    )
    if row is None:
        raise NotFound("run", run)
    return row


async def _wake(tx: Tx, run: UUID) -> None:
    """Make the run due; a worker that holds it reads it anew."""
    await tx.execute(
        "UPDATE run SET status = CASE WHEN status IN ('halted', 'waiting') THEN 'running' "
        "ELSE status END, wake_at = $2, error = '', steered = lease_until IS NOT NULL "
        "WHERE id = $1",
        run,
        tx.now(),
    )
    tx.publish(DOORBELL, "dashboard", f"run:{run}")


async def _note(
    tx: Tx, run: UUID, kind: str, facts: Mapping[str, Any], place: tuple[str, str] = ("/", "")
) -> None:
    await tx.execute(
        "INSERT INTO run_event (run, at, kind, scope, node, facts) VALUES ($1, $2, $3, $4, $5, $6)",
        run,
        tx.now(),
        kind,
        *place,
        to_json(facts),
    )


async def _move(tx: Tx, run: UUID, row: asyncpg.Record, version: UUID) -> None:
    """Put the run on another version of its flow, if its tokens have a place there."""
    before = await _document(tx, row["flow_version"])
    after = await tx.fetchrow(
        "SELECT v.document, v.number FROM flow_version v JOIN flow_version mine ON mine.id = $2 "
        "WHERE v.id = $1 AND v.flow = mine.flow",
        version,
        row["flow_version"],
    )
    if after is None:
        raise NotFound("version of this flow", version)
    document = parse(after["document"])
    tokens = await tx.fetch("SELECT scope, node FROM token WHERE run = $1", run)
    stands = {token["node"] for token in tokens}
    for token in tokens:
        stands |= {found[1] for scope in chain(token["scope"]) if (found := parse_scope(scope))}
    if lost := {node for node in stands if not _is_same_place(before, document, node)}:
        raise CannotMove(run, lost)
    await tx.execute("UPDATE run SET flow_version = $2 WHERE id = $1", run, version)
    await _note(tx, run, "moved", {"version": after["number"]})


def _is_same_place(before: Document, after: Document, node: str) -> bool:
    old, new = before.nodes.get(node), after.nodes.get(node)
    if old is None or new is None:
        return False
    return (old.type, old.within) == (new.type, new.within)


async def _document(tx: Tx, version: UUID) -> Document:
    raw = await tx.fetchval("SELECT document FROM flow_version WHERE id = $1", version)
    return parse(raw)
