"""What a run did, as its journal has it: the answers that dry runs and replays go by."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound, Refusal
from app.flows.course import Place
from app.flows.document import Document, parse
from app.flows.node import Resource
from app.flows.recall import OUTPUT

MOST_ATTEMPTS = 20_000


class TooLong(Refusal):
    code = "flow.recording_too_long"

    def __init__(self, run: UUID) -> None:
        super().__init__(
            f"The run {run} has more than {MOST_ATTEMPTS:,} attempts; go by a shorter one."
        )


class RecordedAttempt(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt: it finished by a `port`, it failed, or the recording ends there."""

    scope: str
    node: str
    attempt: int
    type: str = ""
    status: str = "succeeded"
    input: Any = {}
    output: Any = None
    port: str = ""
    error: str = ""
    error_kind: str = ""
    started_at: datetime | None = None
    finished_at: datetime | None = None
    takes: tuple[Resource, ...] = ()

    @property
    def is_finished(self) -> bool:
        return bool(self.port)

    @property
    def is_failed(self) -> bool:
        return not self.port and self.finished_at is not None

    @property
    def place(self) -> Place:
        return self.scope, self.node


class Recording(msgspec.Struct, frozen=True, kw_only=True):
    """One run: what it was started with, and its attempts in the order in which they began."""

    run: UUID
    version: UUID
    document: Document
    status: str
    input: dict[str, Any]
    subject: UUID | None
    subject_kind: str
    created_at: datetime
    attempts: tuple[RecordedAttempt, ...]
    edited: frozenset[str] = frozenset()
    """Places (`scope:node`) whose parameters a person gave."""


class Answers:
    """A recording by place."""

    def __init__(self, attempts: Iterable[RecordedAttempt] = ()) -> None:
        self.by_attempt: dict[tuple[str, str, int], RecordedAttempt] = {}
        self.by_place: dict[Place, RecordedAttempt] = {}
        self.by_node: dict[str, RecordedAttempt] = {}
        for one in attempts:
            self.by_attempt[one.scope, one.node, one.attempt] = one
            if one.is_finished:
                self.by_place[one.place] = one
                self.by_node[one.node] = one

    def find(self, place: Place, attempt: int) -> RecordedAttempt | None:
        """Return what is recorded of this very attempt."""
        return self.by_attempt.get((*place, attempt))

    def nearest(self, place: Place) -> RecordedAttempt | None:
        """Return how the step ended there, or else in another round or on another path."""
        return self.by_place.get(place) or self.by_node.get(place[1])

    def outputs(self) -> dict[str, Any]:
        """Return the latest output of each node."""
        return {name: one.output for name, one in self.by_node.items()}


async def read_recording(tx: Tx, run: UUID) -> Recording:
    """Return a run with all its attempts. Four statements. Raises NotFound, TooLong."""
    row = await tx.fetchrow(
        "SELECT r.id AS run, r.flow_version, r.status, r.input, r.subject, r.subject_kind, "
        "r.created_at, v.document FROM run r JOIN flow_version v ON v.id = r.flow_version "
        "WHERE r.id = $1",
        run,
    )
    if row is None:
        raise NotFound("run", run)
    rows = await tx.fetch(
        "SELECT a.scope, a.node, a.attempt, a.type, a.status, a.input, "
        f"{OUTPUT} AS output, a.port, a.error, a.error_kind, a.started_at, a.finished_at "
        "FROM step_attempt a LEFT JOIN run_blob b ON b.id = a.blob "
        "WHERE a.run = $1 AND a.port <> 'item' ORDER BY a.id LIMIT $2",
        run,
        MOST_ATTEMPTS + 1,
    )
    if len(rows) > MOST_ATTEMPTS:
        raise TooLong(run)
    taken: dict[Place, tuple[Resource, ...]] = {}
    for one in await tx.fetch(
        "SELECT scope, node, kind, reference FROM run_resource WHERE run = $1 ORDER BY id", run
    ):
        place = one["scope"], one["node"]
        taken[place] = (*taken.get(place, ()), Resource(one["kind"], one["reference"]))
    edits = await tx.fetch(
        "SELECT facts->'edited' AS edited FROM run_event WHERE run = $1 AND kind = 'retried' "
        "AND facts ? 'edited'",
        run,
    )
    return Recording(
        run=run,
        version=row["flow_version"],
        document=parse(row["document"]),
        status=row["status"],
        input=msgspec.json.decode(row["input"]),
        subject=row["subject"],
        subject_kind=row["subject_kind"],
        created_at=row["created_at"],
        attempts=tuple(
            RecordedAttempt(
                **{
                    **dict(one),
                    "input": msgspec.json.decode(one["input"]),
                    "output": None if one["output"] is None else msgspec.json.decode(one["output"]),
                    "takes": taken.get((one["scope"], one["node"]), ()) if one["port"] else (),
                }
            )
            for one in rows
        ),
        edited=frozenset(
            place for one in edits for place in msgspec.json.decode(one["edited"] or "[]")
        ),
    )
