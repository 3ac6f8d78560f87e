"""Servers and racks as pages see them."""

from datetime import datetime
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page
from app.domain.inventory.states import ServerState
from app.drivers.power import Power
from app.solver.inventory import DiskFacts


class ServerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list of servers."""

    id: UUID
    name: str
    serial: str
    datacentre: str
    """Code."""
    rack: str
    u_position: int
    u_height: int
    cpu_model: str
    cpu_count: int
    cores: int
    """Of all sockets together."""
    ram_gb: int
    disks: tuple[DiskFacts, ...]
    state: ServerState
    state_since: datetime
    state_reason: str
    holder: UUID | None
    """The order that has it, from checkout to the end of the service."""
    order_number: int | None
    hold_expires_at: datetime | None
    seq: int
    power: Power
    power_seen_at: datetime | None


ServerPage: TypeAlias = Page[ServerRow]


class ServerView(ServerRow, frozen=True, kw_only=True):
    """Everything about one server, and whose it is."""

    datacentre_name: str
    raid_controller: bool
    power_draw_watts: int
    mac: str
    bmc_url: str | None
    boot_method: str | None
    account_email: str | None
    service_id: UUID | None
    hostname: str | None


class RackView(msgspec.Struct, frozen=True, kw_only=True):
    """A rack and what stands in it."""

    id: UUID
    datacentre: str
    name: str
    u_height: int
    power_budget_watts: int
    power_draw_watts: int
    """Of all its servers, as written down, whether they run or not."""
    servers: tuple[ServerRow, ...]
    """From the lowest unit upwards."""


class DatacentreView(msgspec.Struct, frozen=True, kw_only=True):
    """A site with what it holds."""

    id: UUID
    code: str
    name: str
    city: str
    country: str
    racks: int
    servers: int
    available: int
