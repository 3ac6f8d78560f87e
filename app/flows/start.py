"""Start a run: of the flow bound to a category and trigger, or of a flow that is named.

A start is one statement. What a version needs to be started is kept in the process, since
versions never change; the statement itself makes sure that the version is still the one to
start, and writes nothing when it is not.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, NotFound, Refusal
from app.core.ids import new_id
from app.flows.document import BadDocument
from app.flows.inputs import Inputs, storable_data
from app.flows.node import Subject
from app.flows.registry import node_type
from app.flows.upgrade import load
from app.flows.validate.reading import Reading

DOORBELL = "doorbell:flows"
KEPT = 2_000
"""Versions that are kept in the process."""
TRIES = 5
"""How often a flow may be published anew between a look and a start."""


class NoFlow(Refusal):
    code = "flow.none_bound"

    def __init__(self, category: str, trigger: str) -> None:
        super().__init__(
            f"No enabled flow serves {trigger} for the category {category}; bind one to it."
        )
        self.category = category
        self.trigger = trigger


class FlowDisabled(Refusal):
    code = "flow.disabled"

    def __init__(self, flow: str) -> None:
        super().__init__(f"The flow {flow} is disabled; enable it to start runs of it.")
        self.flow = flow


class WrongSubject(Refusal):
    code = "flow.wrong_subject"

    def __init__(self, flow: str, *, wanted: Subject, given: Subject) -> None:
        about = f"about one {wanted}" if wanted is not Subject.NOTHING else "about nothing"
        super().__init__(f"Runs of the flow {flow} are {about}; this one would be about {given}.")
        self.flow = flow
        self.wanted = wanted
        self.given = given


class BranchesMeet(Refusal):
    """Checks keep such flows from being published; this one came past them, or from before them."""

    code = "flow.branches_meet"

    def __init__(self, flow: str, *, node: str, sources: tuple[str, str]) -> None:
        super().__init__(
            f"In the flow {flow} branches that run at the same time come together at {node}, from "
            f"{sources[0]} and from {sources[1]}: {node} could be done twice. Put a logic.join in "
            "front of it and publish the flow again."
        )
        self.flow = flow
        self.node = node


class Link(msgspec.Struct, frozen=True, array_like=True):
    """A flow whose run led to another, and the event that had started that run."""

    flow: UUID
    event: str


@dataclass(frozen=True, slots=True)
class _Wanted:
    """Which version is to be started: of a named flow, or of the one bound to a category."""

    flow: str | UUID | None = None
    version: UUID | None = None
    category: UUID | None = None
    trigger: str = ""

    @property
    def slug(self) -> str | None:
        return self.flow if isinstance(self.flow, str) else None


@dataclass(frozen=True, slots=True)
class _Start:
    """One run to be started. Without `about` it is about what the flow's trigger gives."""

    data: Mapping[str, Any]
    dedup_key: str
    event: str
    subject: UUID | None
    about: Subject | None = None
    parent: UUID | None = None
    chain: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class _Entry:
    """What starting a version takes: where its runs begin, what they are about and take."""

    flow: UUID
    slug: str
    version: UUID
    number: int
    node: str
    gives: Subject | None
    """None when it may be started about anything."""
    inputs: Inputs | None


async def start_run(
    tx: Tx,
    *,
    category: UUID,
    trigger: str,
    subject: UUID,
    data: Mapping[str, Any],
    dedup_key: str,
    chain: Sequence[Link] = (),
) -> UUID:
    """Queue a run of the latest version of the flow bound to (`category`, `trigger`).

    Asked again with the same `dedup_key`, returns the run that is there. The run is about the
    `subject`, as what the flow's trigger gives; it is picked up after the commit. Raises
    NoFlow and BadInput. One statement.
    """
    wanted = _Wanted(category=category, trigger=trigger)
    return await _start(tx, wanted, _Start(data, dedup_key, trigger, subject, chain=tuple(chain)))


async def start_flow(
    tx: Tx,
    flow: str | UUID,
    *,
    data: Mapping[str, Any],
    dedup_key: str,
    subject: UUID | None = None,
    subject_kind: Subject = Subject.NOTHING,
    parent: UUID | None = None,
    version: UUID | None = None,
    event: str = "",
    chain: Sequence[Link] = (),
) -> UUID:
    """Queue a run of a flow named by slug or id: of its latest version, or of `version`.

    Asked again with the same `dedup_key`, which is one for all flows, returns the run that is
    there. `parent` is the run whose sub-flow it is. `event` is what starts it, a person unless it
    is said, and `chain` what led to that (see `chain_of`). Raises NotFound, FlowDisabled,
    WrongSubject where the flow's trigger gives another subject, BadInput, and Conflict when the
    key is that of another flow's run. One statement; one more with a `parent`.
    """
    if (subject is None) != (subject_kind is Subject.NOTHING):
        raise ValueError("a subject and its kind come together")
    if parent is not None:
        chain = (*await chain_of(tx, parent), *chain)
    event = event or ("manual" if parent is None else "flow")
    start = _Start(data, dedup_key, event, subject, subject_kind, parent, tuple(chain))
    return await _start(tx, _Wanted(flow, version), start)


async def chain_of(tx: Tx, run: UUID) -> tuple[Link, ...]:
    """Return the flows whose runs led to `run`, one by one, its own the last."""
    row = await tx.fetchrow(
        "SELECT v.flow, (SELECT e.facts FROM run_event e WHERE e.run = r.id "
        "AND e.kind = 'queued' ORDER BY e.seq LIMIT 1) AS facts "
        "FROM run r JOIN flow_version v ON v.id = r.flow_version WHERE r.id = $1",
        run,
    )
    if row is None:
        return ()
    facts = msgspec.json.decode(row["facts"] or "{}")
    before = msgspec.convert(facts.get("chain", []), tuple[Link, ...])
    return (*before, Link(row["flow"], facts.get("trigger", "")))


_START = """
WITH here AS (
    SELECT f.id FROM flow f WHERE f.id = $1 AND f.is_enabled
    AND ($2::text IS NULL OR f.slug = $2)
    AND ($3::uuid IS NULL OR EXISTS (
        SELECT FROM flow_binding b WHERE b.category = $3 AND b.trigger = $4 AND b.flow = f.id))
    AND EXISTS (SELECT FROM flow_version v WHERE v.id = $8)
    AND ($5 OR NOT EXISTS (SELECT FROM flow_version v WHERE v.flow = f.id AND v.number > $6))
), made AS (
    INSERT INTO run (id, flow_version, status, dedup_key, subject, subject_kind, input, parent,
                     wake_at, created_at, epoch)
    SELECT $7, $8, 'queued', $9, $10, $11, $12, $13, $14, $14, 0 FROM here
    ON CONFLICT (dedup_key) DO NOTHING RETURNING id
), placed AS (
    INSERT INTO token (id, run, scope, node, state, attempt, memo)
    SELECT $17, id, '/', $15, 'ready', 1, '{}' FROM made
), told AS (
    INSERT INTO run_event (run, at, kind, facts) SELECT id, $14, 'queued', $16 FROM made
)
SELECT (SELECT id FROM made) AS run
"""


async def _start(tx: Tx, wanted: _Wanted, start: _Start) -> UUID:
    entry = _entries.get(wanted)
    for _ in range(TRIES):
        is_guess = entry is not None
        if entry is None:
            there = await _find(tx, wanted, start.dedup_key)
            if there is not None:
                return there
            entry = await _read(tx, wanted)
        try:
            about = _about(entry, start.about)
            if entry.inputs is not None:
                entry.inputs.require(start.data)
        except Refusal:
            if not is_guess:
                raise
            entry = None  # a version that was published since may take it
            continue
        run: UUID | None = await tx.fetchval(
            _START,
            entry.flow,
            wanted.slug,
            wanted.category,
            wanted.trigger,
            wanted.version is not None,
            entry.number,
            new_id(),
            entry.version,
            start.dedup_key,
            start.subject,
            about,
            _json(start.data),
            start.parent,
            tx.now(),
            entry.node,
            _json(_facts(start)),
            new_id(),
        )
        if run is not None:
            tx.publish(DOORBELL, "dashboard")
            if start.subject is not None:
                tx.publish(f"{about}:{start.subject}")
            return run
        entry = None
    raise Conflict("The flow is being published over and over; try again in a moment.")


def _about(entry: _Entry, given: Subject | None) -> Subject:
    """Return what a run is about. A flow whose trigger leaves it open is started about anything.

    So a sub-flow that a person could start too may be about what its parent is about.
    """
    if given is None:
        return entry.gives or Subject.NOTHING
    if entry.gives not in (None, given):
        raise WrongSubject(entry.slug, wanted=entry.gives, given=given)
    return given


def _facts(start: _Start) -> dict[str, Any]:
    facts: dict[str, Any] = {"trigger": start.event}
    return facts | {"chain": start.chain} if start.chain else facts


async def _find(tx: Tx, wanted: _Wanted, dedup_key: str) -> UUID | None:
    """Return the run that has the key."""
    row = await tx.fetchrow(
        "SELECT r.id, v.flow, f.slug FROM run r JOIN flow_version v ON v.id = r.flow_version "
        "JOIN flow f ON f.id = v.flow WHERE r.dedup_key = $1",
        dedup_key,
    )
    if row is None:
        return None
    if wanted.flow not in (None, row["flow"], row["slug"]):
        raise Conflict(f"The key {dedup_key[:80]} is that of a run of {row['slug']}.")
    return UUID(str(row["id"]))


async def _read(tx: Tx, wanted: _Wanted) -> _Entry:
    """Return what is to be started, and keep it for the next start."""
    row = await tx.fetchrow(
        "SELECT f.id AS flow, f.slug, f.is_enabled, v.id AS version, v.number, v.document "
        "FROM flow f LEFT JOIN LATERAL (SELECT id, number, document FROM flow_version "
        "WHERE flow = f.id AND ($3::uuid IS NULL OR id = $3) ORDER BY number DESC LIMIT 1) v "
        "ON true WHERE CASE WHEN $4::uuid IS NOT NULL THEN f.id = (SELECT b.flow "
        "FROM flow_binding b WHERE b.category = $4 AND b.trigger = $5) "
        "WHEN $1::uuid IS NOT NULL THEN f.id = $1 ELSE f.slug = $2 END",
        wanted.flow if isinstance(wanted.flow, UUID) else None,
        wanted.slug,
        wanted.version,
        wanted.category,
        wanted.trigger,
    )
    if wanted.category is not None and (row is None or not row["is_enabled"]):
        slug = await tx.fetchval("SELECT slug FROM category WHERE id = $1", wanted.category)
        raise NoFlow(slug or str(wanted.category), wanted.trigger)
    if row is None:
        raise NotFound("flow", wanted.flow)
    if not row["is_enabled"]:
        raise FlowDisabled(row["slug"])
    if row["version"] is None:
        if wanted.version is None:
            raise NotFound("published version of the flow", row["slug"])
        raise NotFound(f"version of the flow {row['slug']}", wanted.version)
    if len(_entries) >= KEPT:
        _entries.clear()
    entry = _entries[wanted] = _entry(row)
    return entry


_entries: dict[_Wanted, _Entry] = {}


def _entry(row: Mapping[str, Any]) -> _Entry:
    document = load(row["document"])
    if meetings := Reading(document).branches.meetings:
        raise BranchesMeet(row["slug"], node=meetings[0].node, sources=meetings[0].sources)
    for name, spec in document.nodes.items():
        kind = node_type(spec.type, spec.v)
        if kind.trigger is not None:
            return _Entry(
                flow=row["flow"],
                slug=row["slug"],
                version=row["version"],
                number=row["number"],
                node=name,
                gives=kind.subject(spec.params),
                inputs=Inputs(row["slug"], document.inputs) if document.inputs else None,
            )
    raise BadDocument(f"{row['slug']} has no trigger")


def _json(value: Any) -> str:
    text = msgspec.json.encode(value).decode()
    if "\\u0000" in text:
        text = msgspec.json.encode(storable_data(msgspec.to_builtins(value))).decode()
    return text
