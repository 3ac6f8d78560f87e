"""Flows and their versions as pages see them."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.flows.document import Document
from app.flows.views import LIVE, RunStatus


class BindingRow(msgspec.Struct, frozen=True, kw_only=True):
    """Which flow serves a product category on an event, in which version; None: no flow does."""

    category: UUID
    category_slug: str
    category_name: str
    trigger: str
    flow: str | None
    """The flow's slug."""
    flow_name: str | None
    version: int | None
    """Its latest version: that which new runs are of."""
    is_enabled: bool
    """False where no flow serves it, and where that which would is disabled."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """The last run of a flow that did not go well."""

    run: UUID
    status: RunStatus
    """`failed`, or `halted` while it waits for a person."""
    error: str
    at: datetime


class Switched(msgspec.Struct, frozen=True):
    """Who disabled a flow, when and why."""

    at: datetime
    by: str
    reason: str


class FlowRow(msgspec.Struct, frozen=True, kw_only=True):
    """A flow in a list, with what became of its runs since some time."""

    id: UUID
    slug: str
    name: str
    description: str
    is_enabled: bool
    version_id: UUID
    version: int
    """The latest; new runs are of it."""
    note: str
    published_at: datetime
    published_by: str | None
    """The e-mail address of who published it; None for the system."""
    trigger: str
    """The event that starts it; "" when the type of its trigger is not installed."""
    bindings: tuple[BindingRow, ...]
    runs: dict[RunStatus, int]
    """Runs that are under way, and those that ended in the time looked at; 0 included."""
    begun: int
    """How many runs began in the time looked at."""
    begun_today: int
    """How many of these in the last 24 hours."""
    p50: timedelta | None
    """What its successful runs took, in the middle; None without any."""
    p99: timedelta | None
    last_failure: Failure | None
    disabled: Switched | None = None
    """None while it is enabled."""
    draft: UUID | None = None
    is_draft_newer: bool = False
    """Whether its draft was touched after what runs was published."""
    score: int | None = None
    """What the rehearsal of the latest version found, in percent; None: not rehearsed."""

    @property
    def live(self) -> int:
        """How many of its runs are under way."""
        return sum(count for status, count in self.runs.items() if status in LIVE)

    @property
    def success_rate(self) -> float | None:
        """The share of successes among successes and failures, 0 to 1; None without any.

        What a person cancelled is neither.
        """
        done, failed = self.runs[RunStatus.succeeded], self.runs[RunStatus.failed]
        return done / (done + failed) if done + failed else None


class VersionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A version in a flow's history."""

    id: UUID
    number: int
    note: str
    published_at: datetime
    published_by: str | None
    content_hash: str
    runs: int
    """How many runs there have been of it."""
    live: int
    """How many of these are under way."""
    score: int | None = None
    """What the rehearsal of its content found, in percent; None: not rehearsed."""


class VersionView(msgspec.Struct, frozen=True, kw_only=True):
    """A version with what it says."""

    row: VersionRow
    flow: UUID
    slug: str
    document: Document


class FlowView(msgspec.Struct, frozen=True, kw_only=True):
    """A flow with its history, the latest version first."""

    row: FlowRow
    versions: tuple[VersionRow, ...]
    document: Document
    """What the latest version says."""
