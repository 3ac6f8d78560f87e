"""What of a run has changed in memory and is not written yet: rows for one group commit.

The journal's statement reads them as they are here, by the names of the fields.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from app.flows.node import Resource

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


class AttemptRow(msgspec.Struct):
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
    blob: UUID | None = None
    port: str = ""
    error: str = ""
    error_kind: str = ""


class BlobRow(msgspec.Struct):
    """An output kept apart from its attempt."""

    id: UUID
    content: str


class EventRow(msgspec.Struct):
    at: datetime
    kind: str
    scope: str
    node: str
    facts: str


class ResourceRow(msgspec.Struct):
    scope: str
    node: str
    kind: str
    ref: str
    state: str
    at: datetime


class OutboxRow(msgspec.Struct):
    topic: str
    key: str
    payload: str


class RunRow(msgspec.Struct):
    """How the run's own row ends this commit. `releases`: the lease is given back."""

    status: str
    wake_at: datetime | None
    error: str | None
    output: str | None
    finished_at: datetime | None
    releases: bool


class TokenRow(msgspec.Struct):
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


class Change(msgspec.Struct, omit_defaults=True):
    """What one run wants written, all or nothing, as long as its `epoch` holds."""

    run: UUID
    epoch: int
    now: datetime
    tokens: list[TokenRow] = []
    gone: list[UUID] = []
    attempts: list[AttemptRow] = []
    blobs: list[BlobRow] = []
    events: list[EventRow] = []
    variables: dict[str, str] = {}
    resources: list[ResourceRow] = []
    outbox: list[OutboxRow] = []
    returns: list[Resource] = []
    """What is given back, whichever step took it."""
    delivers: bool = False
    """Everything on the ledger is the client's from now on."""
    row: RunRow | None = None
    topics: set[str] = set()

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
