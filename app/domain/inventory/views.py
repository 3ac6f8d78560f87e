"""Servers and racks as pages see them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Literal, TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page
from app.domain.inventory.power_rule import wanted_power
from app.domain.inventory.seed import BootMethod, DeviceKind, Feeds, Side
from app.domain.inventory.states import ServerState
from app.domain.services.states import ServiceState
from app.drivers.bmc.contract import BmcProtocol
from app.drivers.bmc.serial_way import SerialOffer
from app.drivers.bmc.vendors import Vendor
from app.drivers.power import Power
from app.solver.inventory import DiskFacts


class ServerRow(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a list of servers."""

    id: UUID
    name: str
    serial: str
    model: str
    datacentre: str
    """Code."""
    rack: str
    u_position: int
    u_height: int
    side: Side
    feeds: Feeds
    power_draw_watts: int
    weight_kg: int
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
    account_email: str | None
    maintenance_ends_at: datetime | None
    hold_expires_at: datetime | None
    seq: int
    power: Power
    power_seen_at: datetime | None
    power_drift_since: datetime | None
    power_taken: Power | None
    """What a person took for right, against what its service says."""
    silent_since: datetime | None
    """Since when its BMC does not say whether it runs; None while it does."""
    recheck_at: datetime | None
    """When it is looked at again by itself, in quarantine; None where a person has to."""
    rechecks: int
    """How often it was looked at so since it was last delivered."""
    aside_from: ServerState | None
    """Its state before it was put into quarantine, while it is there."""

    @property
    def power_drifts(self) -> bool:
        """Say whether it is not as it should be; while its BMC is silent nobody knows."""
        return self.power is not Power.UNKNOWN and self.power_drift_since is not None


ServerPage: TypeAlias = Page[ServerRow]


class ServerView(ServerRow, frozen=True, kw_only=True):
    """Everything about one server, and whose it is."""

    datacentre_name: str
    rack_id: UUID
    raid_controller: bool
    raid_model: str
    mac: str
    warranty_ends_on: date | None
    note: str
    bmc_url: str | None
    bmc_protocol: BmcProtocol | None
    bmc_vendor: Vendor | None
    """Whose make its BMC is; None while it has not said."""
    bmc_serial: SerialOffer | None
    boot_method: BootMethod | None
    silence: str | None
    """Why it does not say so."""
    service_id: UUID | None
    service_state: ServiceState | None
    hostname: str | None

    @property
    def power_wanted(self) -> Power | None:
        return self.power_taken or wanted_power(self.state, self.service_state)

    @property
    def power_to_put_right(self) -> Power | None:
        """What it is to be switched to; None where nothing differs, or it is not known."""
        return self.power_wanted if self.power_drifts else None


class SilentBmc(msgspec.Struct, frozen=True, kw_only=True):
    """The BMC of a delivered server that has said nothing for a while, and why."""

    server: UUID
    name: str
    silent_since: datetime
    silence: str


class DeviceView(msgspec.Struct, frozen=True, kw_only=True):
    """A switch, a PDU, or what else is in a rack; without a position it fills no unit."""

    id: UUID
    kind: DeviceKind
    name: str
    model: str
    serial: str
    rack_id: UUID
    rack: str
    datacentre: str
    u_position: int | None
    u_height: int
    side: Side
    feeds: Feeds
    power_draw_watts: int
    weight_kg: int
    note: str
    ports: int
    cabled: int


class PlannedMove(msgspec.Struct, frozen=True, kw_only=True):
    """A place that is kept for a server which somebody is to carry there."""

    server: UUID
    server_name: str
    u_position: int
    u_height: int
    side: Side


class RackView(msgspec.Struct, frozen=True, kw_only=True):
    """A rack, what it may carry, and what stands in it; None (a budget of 0) is no limit."""

    id: UUID
    datacentre: str
    name: str
    room: str
    row: str
    place: int
    u_height: int
    power_budget_watts: int
    feed_a_watts: int | None
    feed_b_watts: int | None
    cooling_watts: int | None
    weight_kg: int | None
    most_of_client: int | None
    note: str
    servers: tuple[ServerRow, ...]
    """From the lowest unit upwards."""
    devices: tuple[DeviceView, ...]
    moves: tuple[PlannedMove, ...]

    @property
    def standing(self) -> tuple[ServerRow | DeviceView, ...]:
        return (*self.servers, *self.devices)

    @property
    def power_draw_watts(self) -> int:
        """Of all that stands there, as written down, whether it runs or not."""
        return sum(one.power_draw_watts for one in self.standing)

    @property
    def load_kg(self) -> int:
        return sum(one.weight_kg for one in self.standing)

    @property
    def used_units(self) -> int:
        """Units in which something stands, on whichever side."""
        return len(
            {
                unit
                for one in self.standing
                if one.u_position is not None
                for unit in range(one.u_position, one.u_position + one.u_height)
            }
        )

    def drawn_from(self, feed: Literal["A", "B"]) -> int:
        """Return the watts on a feed if it carries all that is plugged into it alone."""
        return sum(one.power_draw_watts for one in self.standing if feed in one.feeds)


class RackSummary(msgspec.Struct, frozen=True, kw_only=True):
    """A rack among others, at a glance."""

    id: UUID
    name: str
    room: str
    row: str
    u_height: int
    used_units: int
    largest_gap: int
    """Free units on end, on both sides."""
    power_draw_watts: int
    limit_watts: int | None
    """The least of its budgets."""
    states: Mapping[ServerState, int]


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
