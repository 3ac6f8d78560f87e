"""Flows as the API tells them; what this says stays as it is across releases."""

from datetime import datetime, timedelta
from typing import Annotated, Any, TypeAlias
from uuid import UUID

from litestar.params import PathParameter, QueryParameter
from msgspec import UNSET, Meta, Struct

from app.flows.diff import Diff, lines
from app.flows.document import Document
from app.flows.flow_views import BindingRow, FlowRow, FlowView, VersionRow, VersionView
from app.flows.validate import Problem as FlawView
from app.flows.validate import Severity
from app.flows.views import RunStatus

Slug: TypeAlias = Annotated[str, PathParameter(description="Slug of the flow.")]
HIGHEST = 2**31 - 1
"""The number of the last version that there could be."""
Number: TypeAlias = Annotated[
    int, PathParameter(description="Number of the version.", ge=1, le=HIGHEST)
]
MaybeNumber: TypeAlias = Annotated[
    int | None,
    QueryParameter(description="Number of the version; the latest if left out.", ge=1, le=HIGHEST),
]
Note: TypeAlias = Annotated[
    str,
    Meta(
        description="What changed and why, for those who look for the reason later.",
        min_length=1,
        max_length=2_000,
        examples=["Waits longer for the first boot"],
    ),
]

Score: TypeAlias = Annotated[
    int | None,
    Meta(description="What its rehearsal found, in percent of the faults; null: not rehearsed."),
]

SMALL = {
    "schema": 1,
    "flow": "greet",
    "name": "Greet",
    "nodes": {
        "paid": {"type": "trigger.order_paid", "v": 1},
        "mail": {"type": "action.send_mail", "v": 1, "with": {"template": "service-delivered"}},
    },
    "edges": [["paid.out", "mail.in"]],
}
"""The document of examples."""


class Binding(Struct, frozen=True, kw_only=True):
    """A product category that the flow serves on an event."""

    category: Annotated[str, Meta(description="Slug of the category.", examples=["dedicated"])]
    trigger: Annotated[str, Meta(examples=["order.paid"])]


class CategoryBinding(Struct, frozen=True, kw_only=True):
    """A product category, and the flow that serves it on an event; null where none does."""

    category: Annotated[str, Meta(description="Slug of the category.", examples=["dedicated"])]
    trigger: Annotated[str, Meta(examples=["order.paid"])]
    flow: Annotated[str | None, Meta(description="Slug of the flow.")]
    version: Annotated[int | None, Meta(description="The version that new runs are of.")]
    is_enabled: Annotated[bool, Meta(description="Whether a run would start.")]


class BindingList(Struct, frozen=True, kw_only=True):
    """Every product category."""

    items: tuple[CategoryBinding, ...]


class FlowLine(Struct, frozen=True, kw_only=True):
    """A flow in a list, with what became of its runs in the last 30 days."""

    slug: Annotated[str, Meta(examples=["dedicated-server"])]
    name: str
    description: str
    is_enabled: bool
    version: Annotated[int, Meta(description="The latest: that which new runs are of.")]
    note: str
    published_at: datetime
    published_by: Annotated[str | None, Meta(description="An e-mail address, or the system.")]
    trigger: Annotated[str, Meta(description="What starts it.", examples=["order.paid"])]
    bindings: tuple[Binding, ...]
    runs: Annotated[dict[RunStatus, int], Meta(description="How many runs, by status.")]
    success_rate: Annotated[float | None, Meta(description="0 to 1; null without any ended.")]
    p50: Annotated[timedelta | None, Meta(description="What successful runs took, the median.")]
    p99: timedelta | None
    score: Score


class FlowList(Struct, frozen=True, kw_only=True):
    """Every flow that is published, by name."""

    items: tuple[FlowLine, ...]


class VersionLine(Struct, frozen=True, kw_only=True):
    """A version in a flow's history; it never changes."""

    id: UUID
    number: int
    note: str
    published_at: datetime
    published_by: str | None
    content_hash: Annotated[str, Meta(description="SHA-256 of all that runs.")]


class CountedVersion(VersionLine, frozen=True, kw_only=True):
    """A version with how many runs there have been of it, and are under way."""

    runs: int
    live: int
    score: Score


class VersionList(Struct, frozen=True, kw_only=True):
    """The latest 200 versions of a flow, the latest first."""

    items: tuple[CountedVersion, ...]


class FlowDetail(Struct, frozen=True, kw_only=True):
    """A flow as it stands; its `ETag` changes when somebody changes or rehearses it."""

    slug: str
    name: str
    description: str
    is_enabled: bool
    trigger: str
    bindings: tuple[Binding, ...]
    version: VersionLine
    score: Score


class VersionDetail(Struct, frozen=True, kw_only=True):
    """A version of a flow with what it says."""

    flow: str
    version: VersionLine
    document: Document


class Flaw(Struct, frozen=True, kw_only=True):
    """Something wrong with a document; a `warning` keeps it from nothing."""

    node: Annotated[str, Meta(description="Id of the node; empty for the flow itself.")]
    field: Annotated[str, Meta(description="Path of the field.", examples=["with.size"])]
    message: str
    severity: Severity
    at: Annotated[int | None, Meta(description="Where in the text of the field, from 0.")]


class Verdict(Struct, frozen=True, kw_only=True):
    """Whether a document could be published, and what is wrong with it."""

    is_valid: bool
    problems: tuple[Flaw, ...]


class FieldDiff(Struct, frozen=True, kw_only=True):
    """A value that differs; `before` or `after` is left out where it is not set."""

    path: Annotated[tuple[str, ...], Meta(examples=[["retry", "max"]])]
    before: Any = UNSET
    after: Any = UNSET


class NodeDiff(Struct, frozen=True, kw_only=True):
    """A node that both versions have, with the fields in which they differ."""

    node: str
    fields: tuple[FieldDiff, ...]


class VersionDiff(Struct, frozen=True, kw_only=True):
    """What differs between two versions; positions are no part of it."""

    flow: tuple[FieldDiff, ...]
    added: Annotated[tuple[str, ...], Meta(description="Nodes that only the later one has.")]
    removed: tuple[str, ...]
    changed: tuple[NodeDiff, ...]
    edges_added: tuple[tuple[str, str], ...]
    edges_removed: tuple[tuple[str, str], ...]
    lines: Annotated[tuple[str, ...], Meta(description="The same as text, for people.")]


def flow_line(row: FlowRow) -> FlowLine:
    return FlowLine(
        slug=row.slug,
        name=row.name,
        description=row.description,
        is_enabled=row.is_enabled,
        version=row.version,
        note=row.note,
        published_at=row.published_at,
        published_by=row.published_by,
        trigger=row.trigger,
        bindings=tuple(map(_binding, row.bindings)),
        runs=row.runs,
        success_rate=row.success_rate,
        p50=row.p50,
        p99=row.p99,
        score=row.score,
    )


def flow_detail(flow: FlowView) -> FlowDetail:
    row = flow.row
    return FlowDetail(
        slug=row.slug,
        name=row.name,
        description=row.description,
        is_enabled=row.is_enabled,
        trigger=row.trigger,
        bindings=tuple(map(_binding, row.bindings)),
        version=version_line(flow.versions[0]),
        score=row.score,
    )


def version_detail(version: VersionView) -> VersionDetail:
    return VersionDetail(
        flow=version.slug, version=version_line(version.row), document=version.document
    )


def counted_version(row: VersionRow) -> CountedVersion:
    return CountedVersion(**{name: getattr(row, name) for name in CountedVersion.__struct_fields__})


def category_binding(row: BindingRow) -> CategoryBinding:
    return CategoryBinding(
        category=row.category_slug,
        trigger=row.trigger,
        flow=row.flow,
        version=row.version,
        is_enabled=row.is_enabled,
    )


def flaw(view: FlawView) -> Flaw:
    return Flaw(**{name: getattr(view, name) for name in Flaw.__struct_fields__})


def version_diff(changes: Diff) -> VersionDiff:
    return VersionDiff(
        flow=_field_diffs(changes.flow),
        added=tuple(entry.node for entry in changes.added),
        removed=tuple(entry.node for entry in changes.removed),
        changed=tuple(
            NodeDiff(node=one.node, fields=_field_diffs(one.fields)) for one in changes.changed
        ),
        edges_added=changes.edges_added,
        edges_removed=changes.edges_removed,
        lines=tuple(lines(changes)),
    )


def _field_diffs(changes: Any) -> tuple[FieldDiff, ...]:
    return tuple(FieldDiff(path=one.path, before=one.before, after=one.after) for one in changes)


def _binding(row: BindingRow) -> Binding:
    return Binding(category=row.category_slug, trigger=row.trigger)


def version_line(row: VersionRow) -> VersionLine:
    return VersionLine(**{name: getattr(row, name) for name in VersionLine.__struct_fields__})
