"""What of a run has changed in memory and is not written yet: rows for one group commit."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

BLOB_OVER_BYTES = 65_536
"""Larger outputs are kept apart from the rows that are read often."""


class Unstorable(Exception):
    """A value that JSON or PostgreSQL cannot hold."""


def to_json(value: Any) -> str:
    """Return `value` as PostgreSQL's jsonb takes it: without NUL. Raises Unstorable."""
    try:
        text = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise Unstorable(str(error)) from error
    if "\\u0000" not in text:
        return text
    return msgspec.json.encode(_without_nul(msgspec.json.decode(text))).decode()


def _without_nul(value: Any) -> Any:
    match value:
        case str():
            return value.replace("\x00", "�")
        case list():
            return [_without_nul(part) for part in value]
        case dict():
            return {_without_nul(name): _without_nul(part) for name, part in value.items()}
        case _:
            return value


@dataclass(slots=True)
class AttemptRow:
    """One attempt as it is to be in the journal; written again whenever it has changed."""

    scope: str
    node: str
    attempt: int
    type: str
    version: int
    status: str
    key: str
    input: str
    started_at: datetime
    finished_at: datetime | None = None
    output: str | None = None
    port: str = ""
    error: str = ""
    error_kind: str = ""


@dataclass(slots=True)
class EventRow:
    at: datetime
    kind: str
    scope: str
    node: str
    facts: str


@dataclass(slots=True)
class ResourceRow:
    scope: str
    node: str
    kind: str
    ref: str
    state: str
    at: datetime


@dataclass(slots=True)
class OutboxRow:
    topic: str
    key: str
    payload: str


@dataclass(slots=True)
class RunRow:
    """How the run's own row ends this commit. `releases`: the lease is given back."""

    status: str
    wake_at: datetime | None
    error: str | None
    output: str | None
    finished_at: datetime | None
    releases: bool


@dataclass(slots=True)
class TokenRow:
    id: UUID
    scope: str
    node: str
    state: str
    attempt: int
    since: datetime | None
    wake_at: datetime | None
    signal_key: str
    memo: str
    heard: str | None
    error: str | None
    doubt: bool
    override: str | None


@dataclass(slots=True)
class Change:
    """What one run wants written, all or nothing, as long as its `epoch` holds."""

    run: UUID
    epoch: int
    now: datetime
    tokens: list[TokenRow] = field(default_factory=list)
    gone: list[UUID] = field(default_factory=list)
    attempts: list[AttemptRow] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    resources: list[ResourceRow] = field(default_factory=list)
    outbox: list[OutboxRow] = field(default_factory=list)
    returns: list[tuple[str, str]] = field(default_factory=list)
    """(kind, reference) of what is given back, whichever step took it."""
    delivers: bool = False
    """Everything on the ledger is the client's from now on."""
    row: RunRow | None = None
    topics: set[str] = field(default_factory=set)

    @property
    def is_empty(self) -> bool:
        return self.row is None and not (
            self.tokens
            or self.gone
            or self.attempts
            or self.events
            or self.variables
            or self.resources
            or self.outbox
            or self.returns
            or self.delivers
        )
