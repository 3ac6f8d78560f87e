"""Connections as pages and commands see them; never a secret."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.domain.connections.kinds import Facts, Kind


class ConnectionUse(msgspec.Struct, frozen=True):
    """A node of a flow that calls a connection."""

    flow: str
    flow_name: str
    version: int
    node: str


class ConnectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """A connection in a list."""

    id: UUID
    name: str
    kind: Kind
    facts: Facts
    created_at: datetime
    updated_at: datetime
    in_group: str
    weight: int
    draining_since: datetime | None
    """Since when no new machine is made there."""
    flows: tuple[str, ...]
    """Names of the flows that call it."""


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A connection and every node that calls it."""

    id: UUID
    name: str
    kind: Kind
    facts: Facts
    created_at: datetime
    updated_at: datetime
    in_group: str
    weight: int
    draining_since: datetime | None
    """Since when no new machine is made there."""
    uses: tuple[ConnectionUse, ...]
