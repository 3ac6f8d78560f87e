"""Everything that a page tells of one run, and the whole of what a step was given or gave."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.flows.approvals import asked_role
from app.flows.attempts import event_view, step_name
from app.flows.document import parse
from app.flows.find import find_run_row
from app.flows.order import in_order
from app.flows.redact import redacted
from app.flows.rounds import Level, find_level
from app.flows.scopes import TOP
from app.flows.standing import Taken, find_ledger, find_variables
from app.flows.things import Thing, find_things
from app.flows.views import EventView, RunRow, RunStatus

MOST_PLACES = 50
MOST_EVENTS = 200
MOST_CHILDREN = 50

_WHOLE = """
SELECT a.input, coalesce(a.output, b.content) AS output
FROM step_attempt a LEFT JOIN run_blob b ON b.id = a.blob WHERE a.run = $1 AND a.id = $2
"""


class Stand(msgspec.Struct, frozen=True, kw_only=True):
    """A step that waits for a person."""

    scope: str
    node: str
    step: str
    in_doubt: bool
    """Nobody knows whether its last attempt had its effect."""
    asks: dict[str, Any] | None
    """What is to be decided, for an approval: `title`, `text` and `role`; else None."""


class Child(msgspec.Struct, frozen=True, kw_only=True):
    """A run of a sub-flow."""

    id: UUID
    flow_name: str
    status: RunStatus


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """One run, at one of its levels."""

    row: RunRow
    input: Any
    output: Any
    names: dict[str, str]
    """What the flow calls each node."""
    pending: tuple[str, ...]
    """Names of the steps at the top of the flow that it has not come to."""
    level: Level
    stands: tuple[Stand, ...]
    variables: dict[str, Any]
    ledger: tuple[Taken, ...]
    things: Mapping[str, Thing]
    """What of the ledger has a page, by its reference."""
    children: tuple[Child, ...]
    events: tuple[EventView, ...]
    """The latest 200, the latest first."""


async def find_sheet(
    tx: Tx, run: UUID, *, scope: str = TOP, loop: str = "", page: int = 1
) -> Sheet:
    """Return all that is told of a run, secrets hidden; thirteen statements. Raises NotFound.

    `scope` is the level to show, `loop` and `page` which of the rounds of a loop in it.
    """
    row = await find_run_row(tx, run)
    facts = await tx.fetchrow(
        "SELECT r.input, r.output, v.document FROM run r "
        "JOIN flow_version v ON v.id = r.flow_version WHERE r.id = $1",
        run,
    )
    if facts is None:
        raise NotFound("run", run)
    document = parse(facts["document"])
    names = {node: step_name(document, node) for node in document.nodes}
    seen = await tx.fetch("SELECT DISTINCT node FROM step_attempt WHERE run = $1", run)
    come_to = {one["node"] for one in seen}
    events = await tx.fetch(
        "SELECT seq, at, kind, scope, node, facts FROM run_event WHERE run = $1 "
        "ORDER BY seq DESC LIMIT $2",
        run,
        MOST_EVENTS,
    )
    children = await tx.fetch(
        "SELECT r.id, f.name AS flow_name, r.status FROM run r JOIN flow_version v "
        "ON v.id = r.flow_version JOIN flow f ON f.id = v.flow WHERE r.parent = $1 "
        "ORDER BY r.id DESC LIMIT $2",
        run,
        MOST_CHILDREN,
    )
    ledger = await find_ledger(tx, run)
    return Sheet(
        row=row,
        input=redacted(msgspec.json.decode(facts["input"])),
        output=redacted(_decoded(facts["output"])),
        names=names,
        pending=tuple(
            names[node]
            for node in in_order(document)
            if document.nodes[node].within is None and node not in come_to
        ),
        level=await find_level(tx, run, document, scope=scope, loop=loop, page=page),
        stands=await find_stands(tx, run),
        variables=await find_variables(tx, run),
        ledger=ledger,
        things=await find_things(tx, ledger),
        children=tuple(msgspec.convert(dict(one), Child) for one in children),
        events=tuple(event_view(one, document) for one in events),
    )


async def find_stands(tx: Tx, run: UUID) -> tuple[Stand, ...]:
    """Return the steps that wait for a person, those in doubt first; one statement."""
    rows = await tx.fetch(
        "SELECT t.scope, t.node, t.doubt, t.state, a.input, "
        "coalesce(nullif(v.document->'nodes'->t.node->>'name', ''), t.node) AS step FROM token t "
        "JOIN run r ON r.id = t.run JOIN flow_version v ON v.id = r.flow_version "
        "LEFT JOIN LATERAL (SELECT input FROM step_attempt WHERE run = t.run "
        "AND scope = t.scope AND node = t.node ORDER BY attempt DESC LIMIT 1) a ON true "
        "WHERE t.run = $1 AND (t.state = 'halted' OR (t.state = 'waiting' "
        "AND starts_with(t.signal_key, 'approval:') AND NOT EXISTS ("
        "SELECT FROM run_signal s WHERE s.signal_key = t.signal_key AND s.consumed_at IS NULL))) "
        "ORDER BY t.doubt DESC, t.id LIMIT $2",
        run,
        MOST_PLACES,
    )
    return tuple(
        Stand(
            scope=row["scope"],
            node=row["node"],
            step=row["step"],
            in_doubt=row["doubt"] and row["state"] == "halted",
            asks=_asks(row["input"]) if row["state"] == "waiting" else None,
        )
        for row in rows
    )


async def find_exchange(tx: Tx, run: UUID, attempt: int) -> tuple[Any, Any]:
    """Return the whole input and output of an attempt, secrets hidden. Raises NotFound."""
    row = await tx.fetchrow(_WHOLE, run, attempt)
    if row is None:
        raise NotFound("attempt of this run", attempt)
    return redacted(_decoded(row["input"])), redacted(_decoded(row["output"]))


async def find_whole(tx: Tx, run: UUID, attempt: int, part: str) -> Any:
    """Return the whole `input` or `output` of an attempt, secrets hidden. Raises NotFound."""
    row = await tx.fetchrow(_WHOLE, run, attempt)
    if row is None or part not in ("input", "output") or row[part] is None:
        raise NotFound(f"{part} of an attempt", attempt)
    return redacted(msgspec.json.decode(row[part]))


def _asks(raw: str | None) -> dict[str, Any]:
    given = _decoded(raw) or {}
    return {**redacted(given), "role": asked_role(given)}


def _decoded(raw: str | None) -> Any:
    return None if raw is None else msgspec.json.decode(raw)
