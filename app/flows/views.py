"""Runs as pages see them."""

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page


class RunStatus(StrEnum):
    """Where a run stands; the interpreter alone changes it."""

    queued = "queued"
    """Written down; no worker has taken it yet."""

    running = "running"
    """A worker is at it, or will be at once."""

    waiting = "waiting"
    """Every step that is open waits for a time or a signal."""

    halted = "halted"
    """Nothing goes on without a person."""

    compensating = "compensating"
    """What it did is being undone."""

    succeeded = "succeeded"
    """Done to the end."""

    failed = "failed"
    """Failed, and undone."""

    cancelled = "cancelled"
    """Cancelled, and undone."""


LIVE = frozenset(
    {
        RunStatus.queued,
        RunStatus.running,
        RunStatus.waiting,
        RunStatus.halted,
        RunStatus.compensating,
    }
)
"""Not ended."""


class Trouble(StrEnum):
    """Why a run does not move, the worst first."""

    halted = "halted"
    """A step failed for good; a person corrects it and retries, or cancels the run."""

    in_doubt = "in_doubt"
    """Nobody knows whether a step had its effect; a person finds out and says so."""

    undo_fails = "undo_fails"
    """What it did cannot be undone at the moment; tried again until it can."""

    waits_for_stock = "waits_for_stock"
    """There is no server or address for it; it goes on by itself when there is."""

    waits_for_approval = "waits_for_approval"
    """A person of some role decides whether it goes on."""

    retrying = "retrying"
    """A step failed and is tried again by its policy."""

    none = "none"
    """It moves, or it has ended."""


NEEDS_A_PERSON = frozenset({Trouble.halted, Trouble.in_doubt, Trouble.undo_fails})
"""Nothing goes on before somebody does something about it."""


class RunRow(msgspec.Struct, frozen=True, kw_only=True):
    """One run in a list, with the step at which it stands."""

    id: UUID
    status: RunStatus
    flow: UUID
    flow_slug: str
    flow_name: str
    version_id: UUID
    version: int
    subject_kind: str
    """`order`, `service`, `payment` or `nothing`."""
    parent: UUID | None
    """The run whose sub-flow it is."""
    order_id: UUID | None
    """The order that it is about, or that is behind its service or payment."""
    order_number: int | None
    hostname: str | None
    client: str | None
    """The e-mail address of whose order it is."""
    paid_at: datetime | None
    error: str
    wake_at: datetime | None
    cancel_requested: bool
    created_at: datetime
    finished_at: datetime | None
    node: str | None
    """Where it stands; of several places the one that needs a person first."""
    step: str
    """What its flow calls that node."""
    scope: str
    attempt: int
    says: str
    """The last error of that step, or what it waits for."""
    step_since: datetime | None
    """When the first attempt of that step in this scope began."""
    next_try_at: datetime | None
    trouble: Trouble
    delivers: bool
    """It is what delivers its order, which is paid and not delivered."""
    expected: timedelta | None = None
    """What the step usually takes; None without history."""

    @property
    def is_live(self) -> bool:
        return self.status in LIVE


RunPage: TypeAlias = Page[RunRow]


class RunsWanted(msgspec.Struct, frozen=True, kw_only=True):
    """Which runs a list shows; what is left out leaves nothing out.

    `search` is an order's number, a run's id (those of its sub-flows are found too), or a part
    of a host name, of a client's name or e-mail address, or of a server's name.
    """

    statuses: tuple[RunStatus, ...] = ()
    stuck: bool = False
    trouble: Trouble | None = None
    flow: str = ""
    """The slug of a flow."""
    trigger: str = ""
    """What began it, such as `order.paid` or `manual`."""
    search: str = ""


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One attempt of one node in one scope; secrets in `input` and `output` are hidden."""

    id: int
    scope: str
    node: str
    step: str
    type: str
    attempt: int
    status: str
    input: Any
    output: Any
    port: str
    error: str
    started_at: datetime
    finished_at: datetime | None
    next_try_at: datetime | None
    """Set while its token waits: when it is looked at again at the latest."""
    is_halted: bool
    stage: str
    """How far an installation is, "" for other steps."""
    percent: int | None
    is_apart: bool = False
    """Its output is long and kept apart: where `output` is None it was not read."""


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the run's story."""

    seq: int
    at: datetime
    kind: str
    scope: str
    node: str
    step: str
    facts: dict[str, Any]


class RunView(msgspec.Struct, frozen=True, kw_only=True):
    """A run with everything that it did."""

    row: RunRow
    input: Any
    pending: tuple[str, ...]
    """Names of the steps at the top of the flow that it has not come to."""
    attempts: tuple[AttemptView, ...]
    """In the order in which they began."""
    events: tuple[EventView, ...]
    """The latest first."""
    more: bool
    """There are more attempts or events than are shown."""
