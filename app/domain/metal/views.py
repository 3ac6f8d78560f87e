"""Clouds of bare metal and their nodes as pages and programs see them."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page
from app.domain.inventory.states import ServerState
from app.domain.metal.node_rule import NodeDrift
from app.domain.services.states import ServiceState
from app.drivers.metal.contract import Stage
from app.drivers.power import Power


class CloudView(msgspec.Struct, frozen=True, kw_only=True):
    """A cloud of bare metal, and what it last said."""

    connection: str
    connection_id: UUID
    heard_at: datetime | None
    silent_since: datetime | None
    silence: str
    """Why it does not answer."""
    nodes: int
    linked: int
    """Servers here that are its nodes."""
    gone: int
    """How many of these it does not show."""

    @property
    def is_doubtful(self) -> bool:
        """Whether so many vanished that its credentials may rather see less than before."""
        return self.gone > 1 and self.gone * 2 > self.linked


class NodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """A node as its cloud last showed it, with the server that it is."""

    id: UUID
    connection: str
    node: str
    """Its id at the cloud."""
    name: str
    stage: Stage | None
    """None: its cloud has never shown it."""
    state: str
    """The cloud's own word."""
    changed_at: datetime | None
    """Since when it is in this state, as far as we read."""
    power: Power
    in_maintenance: bool
    maintenance_reason: str
    fault: str
    """Why the cloud itself put it into maintenance; empty where a person did."""
    error: str
    """What the cloud said last of a failure; it may be over."""
    error_at: datetime | None
    instance: str
    """The allocation that has it, by its id; empty: nobody."""
    allocated_to: UUID | None
    """The service whose allocation this is; None: none of ours, as far as we know."""
    allocated_state: ServiceState | None
    """None: there is no such service here."""
    resource_class: str
    driver: str
    first_seen_at: datetime
    heard_at: datetime | None
    """When its cloud answered last."""
    gone_since: datetime | None
    silent_since: datetime | None
    """Since when its cloud says nothing: it may be otherwise by now."""
    drift: NodeDrift | None
    """How it differs, once a second reading has said so."""
    drift_since: datetime | None
    server: UUID | None
    server_name: str | None
    server_state: ServerState | None
    service: UUID | None
    """Who has the server."""
    service_state: ServiceState | None
    hostname: str | None
    is_under_way: bool
    """A run is at it."""
    is_ordered: bool
    """A person has asked for it to be put right, and that is being done."""


NodePage: TypeAlias = Page[NodeRow]


class NodeCounts(msgspec.Struct, frozen=True, kw_only=True):
    """How many nodes each view of the list has."""

    all: int
    differs: int
    """Without those that are nobody's."""
    active: int
    available: int
    working: int
    failed: int
    nobodys: int
