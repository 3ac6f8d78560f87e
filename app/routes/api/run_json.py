"""Runs as the API tells them; what this says stays as it is across releases."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.flows import standing
from app.flows.views import AttemptView, EventView, RunRow, RunStatus, RunView, Trouble
from app.routes.api.listing import Paged

RunId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the run.")]


class RunLine(Struct, frozen=True, kw_only=True):
    """A run in a list, with the step at which it stands."""

    id: UUID
    status: RunStatus
    trouble: Annotated[Trouble, Meta(description="Why it does not move; `none` when it does.")]
    flow: Annotated[str, Meta(description="Slug of the flow.", examples=["dedicated-server"])]
    flow_name: str
    version: Annotated[int, Meta(description="Number of the version that it runs.")]
    version_id: UUID
    subject_kind: Annotated[
        str, Meta(description="What it is about: `order`, `service`, `payment` or `nothing`.")
    ]
    parent: Annotated[UUID | None, Meta(description="The run whose sub-flow it is.")]
    order: Annotated[
        UUID | None, Meta(description="The order that it is about, or that stands behind that.")
    ]
    order_number: int | None
    hostname: str | None
    node: Annotated[str | None, Meta(description="Where it stands; of several places the worst.")]
    scope: Annotated[str, Meta(description="Round of the loops around that node; `/`: none.")]
    step: Annotated[str, Meta(description="What the flow calls that node.")]
    attempt: int
    says: Annotated[str, Meta(description="Last error of that step, or what it waits for.")]
    next_try_at: datetime | None
    error: Annotated[str, Meta(description="Why the whole run halted or failed.")]
    is_cancelling: Annotated[bool, Meta(description="Someone asked for it to be cancelled.")]
    created_at: datetime
    finished_at: datetime | None


class RunList(Paged, frozen=True, kw_only=True):
    """A part of the list of runs, the latest first."""

    items: tuple[RunLine, ...]


class Attempt(Struct, frozen=True, kw_only=True):
    """One attempt of one node in one scope. What is named like a secret is hidden."""

    id: Annotated[int, Meta(description="For `GET /runs/{run}/attempts/{id}`.")]
    scope: str
    node: str
    step: str
    type: str
    attempt: int
    status: Annotated[str, Meta(examples=["succeeded"])]
    input: Any
    output: Any
    is_apart: Annotated[
        bool, Meta(description="Its output is long and not told here; ask for the attempt.")
    ]
    port: Annotated[str, Meta(description="The port that its output left by.")]
    error: str
    started_at: datetime
    finished_at: datetime | None
    next_try_at: datetime | None
    is_halted: Annotated[bool, Meta(description="It waits for a person.")]


class AttemptDetail(Struct, frozen=True, kw_only=True):
    """All that an attempt was given and gave, however long."""

    input: Any
    output: Annotated[Any, Meta(description="Null as long as it gave none.")]


class Event(Struct, frozen=True, kw_only=True):
    """A line of the run's story."""

    seq: int
    at: datetime
    kind: Annotated[str, Meta(examples=["retried"])]
    scope: str
    node: str
    facts: dict[str, Any]


class Place(Struct, frozen=True, kw_only=True):
    """A step at which the run stands; `scope` and `node` name it to whoever steers it."""

    scope: str
    node: str
    state: Annotated[str, Meta(examples=["halted"])]
    attempt: int
    in_doubt: Annotated[bool, Meta(description="Nobody knows its outcome: it is to be settled.")]
    awaits_decision: Annotated[bool, Meta(description="It waits for an approval.")]
    wake_at: datetime | None


class Taken(Struct, frozen=True, kw_only=True):
    """Something that the run has taken: the client has it when it is `delivered`."""

    scope: str
    node: str
    kind: Annotated[str, Meta(examples=["server"])]
    reference: Annotated[str, Meta(description="Its id.")]
    state: Annotated[str, Meta(description="`taken`, `delivered` or `returned`.")]
    taken_at: datetime
    ended_at: datetime | None


class RunDetail(Struct, frozen=True, kw_only=True):
    """A run with everything that it did."""

    run: RunLine
    input: Any
    stands_at: tuple[Place, ...]
    variables: dict[str, Any]
    ledger: Annotated[tuple[Taken, ...], Meta(description="In the order in which it was taken.")]
    attempts: Annotated[tuple[Attempt, ...], Meta(description="In the order in which they began.")]
    events: Annotated[tuple[Event, ...], Meta(description="The latest first.")]
    pending: Annotated[tuple[str, ...], Meta(description="Steps that it has not come to.")]
    is_cut: Annotated[bool, Meta(description="There are more attempts or events than shown.")]


def list_of(rows: Sequence[RunRow], following: str | None) -> RunList:
    return RunList(items=tuple(map(line_of, rows)), next=following)


def line_of(row: RunRow) -> RunLine:
    return RunLine(
        id=row.id,
        status=row.status,
        trouble=row.trouble,
        flow=row.flow_slug,
        flow_name=row.flow_name,
        version=row.version,
        version_id=row.version_id,
        subject_kind=row.subject_kind,
        parent=row.parent,
        order=row.order_id,
        order_number=row.order_number,
        hostname=row.hostname,
        node=row.node,
        scope=row.scope,
        step=row.step,
        attempt=row.attempt,
        says=row.says,
        next_try_at=row.next_try_at,
        error=row.error,
        is_cancelling=row.cancel_requested,
        created_at=row.created_at,
        finished_at=row.finished_at,
    )


def detail_of(run: RunView, found: standing.Standing) -> RunDetail:
    return RunDetail(
        run=line_of(run.row),
        input=run.input,
        stands_at=tuple(map(_place, found.places)),
        variables=found.variables,
        ledger=tuple(map(_taken, found.ledger)),
        attempts=tuple(map(_attempt, run.attempts)),
        events=tuple(map(_event, run.events)),
        pending=run.pending,
        is_cut=run.more,
    )


def _attempt(view: AttemptView) -> Attempt:
    return Attempt(**{name: getattr(view, name) for name in Attempt.__struct_fields__})


def _place(view: standing.Place) -> Place:
    return Place(**{name: getattr(view, name) for name in Place.__struct_fields__})


def _taken(view: standing.Taken) -> Taken:
    return Taken(**{name: getattr(view, name) for name in Taken.__struct_fields__})


def _event(view: EventView) -> Event:
    return Event(**{name: getattr(view, name) for name in Event.__struct_fields__})
