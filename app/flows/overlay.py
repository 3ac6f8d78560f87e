"""A run over its drawing: how each node stands, now or after any event of the journal.

Nothing is kept for it: what a node has come to is the last event of each of its rounds, which one
pass over the run's events tells. 10,000 events take about 30 ms, 100 take 1 ms.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.flows.attempts import ATTEMPTS, attempt_view
from app.flows.document import Document, parse
from app.flows.node import ALL_PORTS
from app.flows.scopes import TOP
from app.flows.views import AttemptView, RunStatus

ROUNDS = 12
"""Rounds of a node on a page of its panel."""
MOST_ATTEMPTS = 20


class Stand(StrEnum):
    """How a node stands; of one that is done many times, the worst of what is open."""

    halted = "halted"
    """It waits for a person."""

    in_doubt = "in_doubt"
    """Nobody knows whether it had its effect; a person says so."""

    retrying = "retrying"
    """It failed and is tried again at a time."""

    running = "running"
    """It is being done, or its rounds are."""

    waiting = "waiting"
    """For a time, or for a word from outside."""

    failed = "failed"
    """Its last attempt failed; the run went on otherwise, or ended."""

    compensated = "compensated"
    """What it did was undone."""

    done = "done"

    cancelled = "cancelled"
    """It was under way when the run was cancelled or undone."""

    not_reached = "not_reached"
    """It may still come."""

    skipped = "skipped"
    """The run ended without coming to it."""


class NodeStand(msgspec.Struct, frozen=True, kw_only=True):
    """One node of the drawing, over all its rounds."""

    node: str
    stand: Stand
    rounds: int = 0
    """Scopes in which it was begun: more than one inside loops."""
    done: int = 0
    failed: int = 0
    tries: int = 0
    began_at: datetime | None = None
    ended_at: datetime | None = None
    """None while it is under way."""
    next_try_at: datetime | None = None
    says: str = ""
    """The last error, or what it waits for."""
    ports: tuple[str, ...] = ()
    """By which it was left."""
    seq: int = 0
    """Of its last event."""


class Moment(msgspec.Struct, frozen=True, kw_only=True):
    """A place in the run's story."""

    position: int
    """1 for the first event."""
    count: int
    seq: int
    at: datetime
    kind: str
    node: str
    scope: str

    @property
    def is_last(self) -> bool:
        return self.position >= self.count


class Overlay(msgspec.Struct, frozen=True, kw_only=True):
    """A run as of one event."""

    run: UUID
    flow: UUID
    slug: str
    name: str
    version: int
    status: RunStatus
    error: str
    created_at: datetime
    finished_at: datetime | None
    document: Document
    moment: Moment | None
    """None for a run that has no events."""
    stands: Mapping[str, NodeStand]
    """Every node of the document."""

    @property
    def is_past(self) -> bool:
        return self.moment is not None and not self.moment.is_last


class NodeRound(msgspec.Struct, frozen=True, kw_only=True):
    """One scope in which a node was done."""

    scope: str
    kind: str
    at: datetime


class NodeFile(msgspec.Struct, frozen=True, kw_only=True):
    """What a node did in one round."""

    node: str
    scope: str
    attempts: tuple[AttemptView, ...]
    rounds: tuple[NodeRound, ...]
    """A page of its rounds, those that failed first."""
    round_count: int
    page: int
    children: tuple[tuple[UUID, str, str], ...]
    """Runs of other flows that it led to: id, name, status."""
    ledger: tuple[tuple[str, str, str], ...]
    """What it took: kind, reference, state."""


_RUN = """
SELECT r.id AS run, f.id AS flow, f.slug, f.name, v.number AS version, r.status, r.error,
       r.created_at, r.finished_at, v.document
FROM run r JOIN flow_version v ON v.id = r.flow_version JOIN flow f ON f.id = v.flow
WHERE r.id = $1
"""
# The last event of each round, then one line for each node.
_STANDS = """
WITH story AS (
    SELECT seq, at, kind, scope, node, facts,
           row_number() OVER (PARTITION BY node, scope ORDER BY seq DESC) AS back
    FROM run_event WHERE run = $1 AND node <> '' AND seq <= $2
), by_node AS (
    SELECT node, max(seq) AS seq, min(at) AS began_at, max(at) AS ended_at,
           count(*) FILTER (WHERE kind = 'started') AS tries,
           count(*) FILTER (WHERE back = 1) AS rounds,
           count(*) FILTER (WHERE back = 1 AND kind = 'finished') AS done,
           count(*) FILTER (WHERE back = 1 AND kind = 'failed') AS failed,
           count(*) FILTER (WHERE back = 1 AND kind = 'compensated') AS compensated,
           count(*) FILTER (WHERE back = 1 AND kind = 'waiting') AS waiting,
           array_agg(DISTINCT facts->>'port') FILTER (WHERE kind = 'finished') AS ports,
           (array_agg(coalesce(facts->>'error', facts->>'says') ORDER BY seq DESC)
               FILTER (WHERE kind IN ('failed', 'waiting')))[1] AS says
    FROM story GROUP BY node
)
SELECT * FROM by_node
"""
_TOKENS = """
SELECT DISTINCT ON (node) node, state, doubt, wake_at, attempt, signal_key FROM token
WHERE run = $1 ORDER BY node, state = 'halted' DESC, doubt DESC, state = 'started' DESC, id
"""
_MOMENT = """
SELECT seq, at, kind, node, scope, position, count FROM (
    SELECT seq, at, kind, node, scope, row_number() OVER (ORDER BY seq) AS position,
           count(*) OVER () AS count
    FROM run_event WHERE run = $1
) e WHERE position <= $2 ORDER BY position DESC LIMIT 1
"""
LAST = 2**31 - 1
ERROR = "error"
ROUND = "each"


async def find_overlay(tx: Tx, run: UUID, *, position: int = LAST) -> Overlay:
    """Return the run as of its event number `position`; four statements. Raises NotFound."""
    row = await tx.fetchrow(_RUN, run)
    if row is None:
        raise NotFound("run", run)
    facts = dict(row)
    document = parse(facts.pop("document"))
    facts["status"] = RunStatus(facts["status"])
    found = await tx.fetchrow(_MOMENT, run, max(position, 1))
    moment = None if found is None else msgspec.convert(dict(found), Moment)
    upto = 0 if moment is None else moment.seq
    rows = {one["node"]: one for one in await tx.fetch(_STANDS, run, upto)}
    is_now = moment is not None and moment.is_last
    tokens = {one["node"]: one for one in await tx.fetch(_TOKENS, run)} if is_now else {}
    is_ending = facts["finished_at"] is not None or facts["status"] == RunStatus.compensating
    is_over = is_now and is_ending
    stands = {
        node: _stand(node, rows.get(node), tokens.get(node), is_over=is_over)
        for node in document.nodes
    }
    return Overlay(**facts, document=document, moment=moment, stands=stands)


def _stand(node: str, row: Any, token: Any, *, is_over: bool) -> NodeStand:
    if row is None and token is None:
        return NodeStand(node=node, stand=Stand.skipped if is_over else Stand.not_reached)
    facts = {} if row is None else dict(row)
    stand = _open(token, facts) if token is not None else _closed(facts, is_over=is_over)
    is_open = stand in (Stand.running, Stand.waiting, Stand.retrying)
    return NodeStand(
        node=node,
        stand=stand,
        rounds=facts.get("rounds", 0),
        done=facts.get("done", 0),
        failed=facts.get("failed", 0),
        tries=facts.get("tries", 0),
        began_at=facts.get("began_at"),
        ended_at=None if is_open else facts.get("ended_at"),
        next_try_at=token["wake_at"] if stand is Stand.retrying else None,
        says=facts.get("says") or "" if stand not in (Stand.done, Stand.compensated) else "",
        ports=tuple(port for port in facts.get("ports") or () if port),
        seq=facts.get("seq", 0),
    )


def _open(token: Any, facts: Mapping[str, Any]) -> Stand:
    """Return how a node stands at which a token is, from the token's own row."""
    match token["state"]:
        case "halted":
            return Stand.in_doubt if token["doubt"] else Stand.halted
        case "waiting" if not token["signal_key"] and facts.get("failed"):
            return Stand.retrying
        case "waiting":
            return Stand.waiting
        case "ready" if not facts:
            return Stand.not_reached
        case _:
            return Stand.running


def _closed(facts: Mapping[str, Any], *, is_over: bool) -> Stand:
    """Return how a node stands by its events alone: in the past, and where no token is left."""
    rounds = facts["rounds"]
    settled = facts["done"] + facts["failed"] + facts["compensated"]
    if settled < rounds and not is_over:
        is_waiting = facts["waiting"] == rounds - settled
        return Stand.waiting if is_waiting else Stand.running
    if facts["failed"]:
        return Stand.failed
    if settled < rounds:
        return Stand.cancelled
    return Stand.compensated if facts["compensated"] else Stand.done


def ways(overlay: Overlay) -> tuple[tuple[str, str], ...]:
    """Return the edges that were taken: those of the ports that nodes were left by."""
    return tuple(edge for edge in overlay.document.edges if _is_taken(overlay, *edge))


def _is_taken(overlay: Overlay, start: str, end: str) -> bool:
    source, _, port = start.partition(".")
    target = end.partition(".")[0]
    left, reached = overlay.stands[source], overlay.stands[target]
    if port == ERROR:  # a failure is no port of an attempt: it may have been tried again
        return left.failed > 0 and reached.began_at is not None
    if port == ROUND:  # nor is the way into a loop's body
        return reached.began_at is not None
    return port in left.ports or ALL_PORTS in left.ports


_NODE_ROUNDS = """
SELECT scope, kind, at, count(*) OVER () AS count FROM (
    SELECT DISTINCT ON (scope) scope, kind, at, seq FROM run_event
    WHERE run = $1 AND node = $2 AND seq <= $3 ORDER BY scope, seq DESC
) last ORDER BY kind = 'failed' DESC, kind = 'finished', seq DESC LIMIT $4 OFFSET $5
"""


async def find_node(
    tx: Tx, run: UUID, document: Document, node: str, *, upto: int, scope: str = "", page: int = 1
) -> NodeFile:
    """Return what a node did, in `scope` or else in the round that matters most; four statements.

    Only a page of its rounds is read. Raises NotFound for a node that the flow does not have.
    """
    if node not in document.nodes:
        raise NotFound("node", node)
    rounds = await tx.fetch(_NODE_ROUNDS, run, node, upto, ROUNDS, ROUNDS * (page - 1))
    scope = scope or (rounds[0]["scope"] if rounds else TOP)
    attempts = await tx.fetch(
        f"{ATTEMPTS} WHERE a.run = $1 AND a.scope = $2 AND a.node = $3 "
        "AND a.attempt IN (SELECT (facts->>'attempt')::int FROM run_event WHERE run = $1 "
        "AND scope = $2 AND node = $3 AND kind = 'started' AND seq <= $4) "
        "ORDER BY a.id DESC LIMIT $5",
        run,
        scope,
        node,
        upto,
        MOST_ATTEMPTS,
    )
    key = f"{run}:{scope}:{node}#"
    children = await tx.fetch(
        "SELECT r.id, f.name, r.status FROM run r JOIN flow_version v ON v.id = r.flow_version "
        "JOIN flow f ON f.id = v.flow WHERE r.parent = $1 AND starts_with(r.dedup_key, $2) "
        "ORDER BY r.id",
        run,
        key,
    )
    ledger = await tx.fetch(
        "SELECT kind, reference, state FROM run_resource WHERE run = $1 AND node = $2 "
        "AND scope = $3 ORDER BY id",
        run,
        node,
        scope,
    )
    return NodeFile(
        node=node,
        scope=scope,
        attempts=tuple(attempt_view(one, document) for one in reversed(attempts)),
        rounds=tuple(
            NodeRound(scope=one["scope"], kind=one["kind"], at=one["at"]) for one in rounds
        ),
        round_count=rounds[0]["count"] if rounds else 0,
        page=page,
        children=tuple((one["id"], one["name"], one["status"]) for one in children),
        ledger=tuple((one["kind"], one["reference"], one["state"]) for one in ledger),
    )


async def last_runs(tx: Tx) -> dict[str, tuple[tuple[UUID, RunStatus], ...]]:
    """Return the last three runs of every flow by its slug, the latest first; one statement."""
    found: dict[str, tuple[tuple[UUID, RunStatus], ...]] = {}
    for row in await tx.fetch(
        "SELECT f.slug, r.id, r.status FROM flow f CROSS JOIN LATERAL ("
        "SELECT r.id, r.status FROM run r JOIN flow_version v ON v.id = r.flow_version "
        "WHERE v.flow = f.id ORDER BY r.id DESC LIMIT 3) r ORDER BY r.id DESC"
    ):
        before = found.get(row["slug"], ())
        found[row["slug"]] = (*before, (row["id"], RunStatus(row["status"])))
    return found


def elapsed(stand: NodeStand, now: datetime) -> timedelta | None:
    """Return how long it took, or takes so far."""
    if stand.began_at is None:
        return None
    return (stand.ended_at or now) - stand.began_at
