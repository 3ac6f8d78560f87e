"""Read runs: lists with the step at which each stands, and one run with all its attempts."""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.paging import PAGE_SIZE, Listing, containing, read_page
from app.flows.attempts import ATTEMPTS, attempt_view, event_view, step_name
from app.flows.document import parse
from app.flows.order import in_order
from app.flows.redact import redacted
from app.flows.views import (
    LIVE,
    RunPage,
    RunRow,
    RunStatus,
    RunsWanted,
    RunView,
)

MOST_ATTEMPTS = 300
MOST_EVENTS = 200
HISTORY = 200
"""Runs that the usual time of a step is taken from."""

# What has ended stands nowhere: the look-up is left out for it, so that long lists stay cheap.
# A token that was put off after a failure waits for an attempt that has no row yet, while the
# latest attempt that has one failed.
_STAND = """
LEFT JOIN LATERAL (
    SELECT t.node, t.scope, t.state, t.attempt, t.wake_at, t.signal_key, t.doubt FROM token t
    WHERE r.finished_at IS NULL AND t.run = r.id AND t.state <> 'inside'
    ORDER BY t.state = 'halted' DESC, t.doubt, starts_with(t.signal_key, 'stock:') DESC,
             starts_with(t.signal_key, 'approval:') DESC, t.id DESC LIMIT 1
) t ON true
LEFT JOIN LATERAL (
    SELECT a.status, a.error, a.started_at, min(a.started_at) OVER () AS since
    FROM step_attempt a WHERE a.run = r.id AND a.scope = t.scope AND a.node = t.node
    ORDER BY a.attempt DESC LIMIT 1
) a ON true
"""
_TROUBLE = """
CASE WHEN r.cancel_requested AND r.status <> 'compensating' THEN 'none'
     WHEN t.state = 'halted' AND t.doubt THEN 'in_doubt'
     WHEN t.state = 'halted' THEN 'halted'
     WHEN r.status = 'compensating' AND r.error <> '' AND r.wake_at IS NOT NULL
          AND r.lease_until IS NULL THEN 'undo_fails'
     WHEN t.state = 'waiting' AND starts_with(t.signal_key, 'stock:') THEN 'waits_for_stock'
     WHEN t.state = 'waiting' AND starts_with(t.signal_key, 'approval:') THEN 'waits_for_approval'
     WHEN t.state = 'waiting' AND a.status = 'failed' THEN 'retrying'
     ELSE 'none' END
"""
_DELIVERS = "coalesce(o.run = r.id AND o.state IN ('paid', 'provisioning'), false)"
_COLUMNS = f"""
r.id, r.status, f.id AS flow, f.slug AS flow_slug, f.name AS flow_name, v.id AS version_id,
       v.number AS version, o.id AS order_id, o.number AS order_number, o.hostname, o.paid_at,
       c.email AS client, r.subject_kind, r.parent, r.error, r.wake_at, r.cancel_requested,
       r.created_at, r.finished_at, t.node,
       coalesce(nullif(v.document->'nodes'->t.node->>'name', ''), t.node, '') AS step,
       coalesce(t.scope, '/') AS scope, coalesce(t.attempt, 0) AS attempt,
       coalesce(a.error, '') AS says, a.since AS step_since,
       CASE WHEN t.state = 'waiting' THEN t.wake_at END AS next_try_at, {_TROUBLE} AS trouble,
       {_DELIVERS} AS delivers
"""
_FLOW = "FROM run r JOIN flow_version v ON v.id = r.flow_version JOIN flow f ON f.id = v.flow"
# A run is about an order, or about a service or a payment behind which an order stands.
_ORDER = """
LEFT JOIN service s ON s.id = r.subject AND r.subject_kind = 'service'
LEFT JOIN payment p ON p.id = r.subject AND r.subject_kind = 'payment'
LEFT JOIN invoice i ON i.id = p.invoice
LEFT JOIN client_order o ON o.id = CASE r.subject_kind WHEN 'order' THEN r.subject
    WHEN 'service' THEN s."order" WHEN 'payment' THEN i."order" END
LEFT JOIN account c ON c.id = o.account
"""
_FROM = f"{_FLOW} {_ORDER} {_STAND}"
_ROWS = f"SELECT {_COLUMNS} {_FROM}"
_BEGAN_BY = """EXISTS (SELECT FROM run_event q WHERE q.run = r.id AND q.kind = 'queued'
    AND q.facts->>'trigger' = ?)"""
# What is about one of the orders found, by itself, its service or its payments; or has its server.
_FOUND = """(r.subject IN (
    WITH found AS (
        SELECT o.id FROM client_order o JOIN account c ON c.id = o.account
        WHERE o.number = ? OR o.hostname ILIKE ? OR c.email ILIKE ? OR c.name ILIKE ?
    )
    SELECT id FROM found
    UNION ALL SELECT s.id FROM service s JOIN found ON found.id = s."order"
    UNION ALL SELECT p.id FROM payment p JOIN invoice i ON i.id = p.invoice
              JOIN found ON found.id = i."order"
) OR f.name ILIKE ? OR r.id = ? OR r.parent = ? OR r.id IN (
    WITH machine AS (SELECT id, holder FROM server WHERE name ILIKE ?)
    SELECT x.run FROM run_resource x JOIN machine ON x.reference = machine.id::text
    WHERE x.kind = 'server'
    UNION SELECT h.id FROM run h JOIN machine ON h.subject = machine.holder
    UNION SELECT h.id FROM run h JOIN service s ON h.subject IN (s.id, s."order")
          JOIN machine ON s.server = machine.id
))"""
_RANK = f"""array_position(ARRAY['halted', 'in_doubt', 'undo_fails', 'waits_for_stock',
    'waits_for_approval', 'retrying'], {_TROUBLE})"""


_MAY_BE_STUCK = "r.status IN ('running', 'waiting', 'halted', 'compensating')"
STUCK = f"({_MAY_BE_STUCK} AND {_TROUBLE} <> 'none')"
"""That a run does not move, as a condition of `rows_where`."""


async def rows_where(
    tx: Tx, where: str, values: Iterable[object], *, limit: int
) -> tuple[RunRow, ...]:
    """Return runs as lists show them, the latest first; one statement.

    `where` may speak of the run `r`, its version `v`, its flow `f` and the order `o`.
    """
    rows = await tx.fetch(f"{_ROWS} WHERE {where} ORDER BY r.id DESC LIMIT {limit:d}", *values)
    return tuple(msgspec.convert(dict(row), RunRow) for row in rows)


async def live_runs(tx: Tx, *, limit: int = PAGE_SIZE) -> tuple[RunRow, ...]:
    """Return runs that have not ended: those that do not move, then deliveries, then the others.

    The oldest first. Each with what its step usually takes. Two statements whatever their number.
    """
    rows = await tx.fetch(
        f"{_ROWS} WHERE r.status = ANY($1) ORDER BY {_RANK} NULLS LAST, {_DELIVERS} DESC, r.id "
        "LIMIT $2",
        list(LIVE),
        limit,
    )
    runs = [msgspec.convert(dict(row), RunRow) for row in rows]
    usual = await _usual(tx, {run.version_id for run in runs})
    return tuple(replace(run, expected=usual.get((run.version_id, run.node or ""))) for run in runs)


async def list_runs(tx: Tx, wanted: RunsWanted | None = None, *, page: int = 1) -> RunPage:
    """Return the runs that are wanted, 50 a page; two statements.

    Those that do not move come first, the worst of them before the others, then the latest.
    With 10,000 runs, a tenth of them under way, about 50 ms.
    """
    wanted = wanted or RunsWanted()
    words = wanted.search.strip().removeprefix("#")
    part = containing(words)
    where, values = ["true"], list[object]()

    def given(condition: str, *facts: object) -> None:
        for fact in facts:
            values.append(fact)
            condition = condition.replace("?", f"${len(values)}", 1)
        where.append(condition)

    if wanted.statuses:
        given("r.status = ANY(?)", [status.value for status in wanted.statuses])
    if wanted.flow:
        given("f.slug = ?", wanted.flow)
    if wanted.trigger:
        given(_BEGAN_BY, wanted.trigger)
    if wanted.trouble is not None:
        given(f"{_MAY_BE_STUCK} AND {_TROUBLE} = ?", wanted.trouble.value)
    if wanted.stuck:
        where.append(STUCK)
    if words:
        given(
            _FOUND, _number(words), part, part, part, part, _uuid(words), _uuid(words), part,
        )  # fmt: skip
    needs_stand = wanted.stuck or wanted.trouble is not None
    listing = Listing(
        columns=_COLUMNS,
        source=_FROM,
        where=" AND ".join(where),
        order_by=f"{_RANK} NULLS LAST, r.id DESC",
        values=values,
        counted=f"{_FLOW} {_STAND}" if needs_stand else _FLOW,
    )
    return await read_page(tx, listing, page, lambda row: msgspec.convert(dict(row), RunRow))


async def triggers_of_runs(tx: Tx) -> tuple[str, ...]:
    """Return what runs were begun by, such as `order.paid`, `manual` or `flow`; one statement."""
    rows = await tx.fetch(
        "SELECT DISTINCT facts->>'trigger' AS trigger FROM run_event WHERE kind = 'queued' "
        "AND facts ? 'trigger' ORDER BY 1"
    )
    return tuple(row["trigger"] for row in rows)


async def count_runs(tx: Tx) -> dict[RunStatus, int]:
    """Return how many runs there are in each status, 0 included."""
    rows = await tx.fetch("SELECT status, count(*) FROM run GROUP BY status")
    counted = {row["status"]: row["count"] for row in rows}
    return {status: counted.get(status.value, 0) for status in RunStatus}


async def find_run_row(tx: Tx, run: UUID) -> RunRow:
    """Return a run as lists show it. Raises NotFound."""
    row = await tx.fetchrow(f"{_ROWS} WHERE r.id = $1", run)
    if row is None:
        raise NotFound("run", run)
    return msgspec.convert(dict(row), RunRow)


async def find_run_rows(tx: Tx, runs: Iterable[UUID]) -> tuple[RunRow, ...]:
    """Return those of the runs that there are, the latest first; one statement."""
    ids = list(runs)
    return await rows_where(tx, "r.id = ANY($1)", [ids], limit=max(len(ids), 1))


async def in_doubt(tx: Tx, runs: Iterable[UUID]) -> frozenset[UUID]:
    """Return those of the runs of which a step waits for word whether it had its effect.

    They are settled one by one; a retry would do such a step again unseen.
    """
    rows = await tx.fetch(
        "SELECT DISTINCT run FROM token WHERE run = ANY($1) AND doubt AND state = 'halted'",
        list(runs),
    )
    return frozenset(row["run"] for row in rows)


async def flows_of_runs(tx: Tx) -> tuple[tuple[str, str], ...]:
    """Return (slug, name) of every flow, by name."""
    rows = await tx.fetch("SELECT slug, name FROM flow ORDER BY name, slug")
    return tuple((row["slug"], row["name"]) for row in rows)


async def find_run(tx: Tx, run: UUID) -> RunView:
    """Return a run with its attempts and its story; four statements. Raises NotFound.

    At most 300 attempts and 200 events, the latest of them.
    """
    row = await find_run_row(tx, run)
    facts = await tx.fetchrow(
        "SELECT r.input, v.document FROM run r JOIN flow_version v ON v.id = r.flow_version "
        "WHERE r.id = $1",
        run,
    )
    if facts is None:
        raise NotFound("run", run)
    document = parse(facts["document"])
    attempts = await tx.fetch(
        f"{ATTEMPTS} WHERE a.run = $1 ORDER BY a.id DESC LIMIT $2", run, MOST_ATTEMPTS + 1
    )
    events = await tx.fetch(
        "SELECT seq, at, kind, scope, node, facts FROM run_event WHERE run = $1 "
        "ORDER BY seq DESC LIMIT $2",
        run,
        MOST_EVENTS + 1,
    )
    seen = {attempt["node"] for attempt in attempts}
    return RunView(
        row=row,
        input=redacted(msgspec.json.decode(facts["input"])),
        pending=tuple(
            step_name(document, name)
            for name in in_order(document)
            if document.nodes[name].within is None and name not in seen
        ),
        attempts=tuple(attempt_view(one, document) for one in reversed(attempts[:MOST_ATTEMPTS])),
        events=tuple(event_view(one, document) for one in events[:MOST_EVENTS]),
        more=len(attempts) > MOST_ATTEMPTS or len(events) > MOST_EVENTS,
    )


async def _usual(tx: Tx, versions: set[UUID]) -> dict[tuple[UUID, str], timedelta]:
    """Return the median time of each node over the latest runs; ids sort by time of creation."""
    if not versions:
        return {}
    rows = await tx.fetch(
        "SELECT r.flow_version, a.node, percentile_disc(0.5) WITHIN GROUP "
        "(ORDER BY a.finished_at - a.started_at) AS p50 FROM (SELECT id, flow_version FROM run "
        "WHERE flow_version = ANY($1) AND status = 'succeeded' ORDER BY id DESC LIMIT $2) r "
        "JOIN step_attempt a ON a.run = r.id AND a.status = 'succeeded' GROUP BY 1, 2",
        list(versions),
        HISTORY,
    )
    return {(row["flow_version"], row["node"]): row["p50"] for row in rows}


def _number(words: str) -> int | None:
    return int(words) if words.isascii() and words.isdecimal() and len(words) < 19 else None


def _uuid(words: str) -> UUID | None:
    try:
        return UUID(words)
    except ValueError:
        return None
