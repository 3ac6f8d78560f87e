"""Servers, racks and cables as the API tells them; what this says stays as it is."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.core.sheets import SheetLine
from app.domain.inventory.arrive import ServersArrived
from app.domain.inventory.cabling import CableView, PortView
from app.domain.inventory.change import ServerChange
from app.domain.inventory.seed import DeviceKind, Feeds, PortKind, Side
from app.domain.inventory.states import ServerState
from app.domain.inventory.views import RackView, ServerView
from app.drivers.power import Power
from app.routes.api.listing import Paged
from app.routes.api.space_json import Why, same
from app.solver.obstacles import Obstacle, Refuses
from app.solver.want import DiskKind

ServerId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the server.")]
RackId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the rack.")]
CableId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the cable.")]
Unit: TypeAlias = Annotated[
    int, Meta(description="Lowest unit that is filled, counted from 1.", ge=1, le=32_767)
]


class ServerDisk(Struct, frozen=True):
    """Equal disks of a server."""

    kind: DiskKind
    capacity_gb: int
    count: int


class ServerLine(Struct, frozen=True, kw_only=True):
    """A server: its hardware, its place, its state."""

    id: UUID
    name: str
    serial: str
    model: str
    datacentre: Annotated[str, Meta(description="Its code.")]
    rack: Annotated[str, Meta(description="Name of the rack.")]
    rack_id: UUID
    u_position: Unit
    u_height: int
    side: Annotated[Side, Meta(description="`both` fills front and rear.")]
    feeds: Feeds
    power_draw_watts: int
    weight_kg: int
    cpu_model: str
    cpu_count: int
    cores: Annotated[int, Meta(description="Of all sockets together.")]
    ram_gb: int
    disks: tuple[ServerDisk, ...]
    raid_controller: bool
    raid_model: str
    mac: Annotated[str, Meta(description="Of the network card that it boots from.")]
    state: ServerState
    state_since: datetime
    state_reason: str
    maintenance_ends_at: datetime | None
    power: Annotated[Power, Meta(description="What its BMC said last; read every 30 s.")]
    power_wanted: Annotated[
        Power | None,
        Meta(
            description="What its service needs, or what was taken for right against that; null "
            "when nothing is wanted."
        ),
    ]
    power_drifts: Annotated[
        bool, Meta(description="Whether that differs, for longer than switching takes.")
    ]
    order: Annotated[UUID | None, Meta(description="Id of the order that has it.")]
    warranty_ends_on: date | None
    note: str


class ServerList(Paged, frozen=True, kw_only=True):
    """A part of the list of servers, the latest first."""

    items: tuple[ServerLine, ...]


class ServerEdit(ServerChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What of a server is to change; what is left out stays."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"note": "New fans in May.", "feeds": "AB"}


class NewPlace(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a server stands by now."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "rack_id": "01a21000-0000-7000-8000-000000000001",
        "u_position": 7,
    }

    rack_id: UUID
    u_position: Unit
    side: Side = "both"
    reason: Annotated[str, Meta(max_length=500)] = ""


class PlaceObstacle(Struct, frozen=True):
    """A rule that keeps a server from a place."""

    rule: Annotated[
        Refuses, Meta(description="Stable: `units`, `feed_a`, `feed_b`, `weight`, and so on.")
    ]
    text: str


class PlaceVerdict(Struct, frozen=True):
    """All that keeps a server from a place; empty when it may stand there."""

    obstacles: tuple[PlaceObstacle, ...]


class MaintenanceBegin(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Why a server is taken out of stock, and until when."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "reason": "Fan 3 is loud.",
        "ends_at": "2030-03-01T06:00:00Z",
    }

    reason: Why
    ends_at: Annotated[datetime | None, Meta(description="Null: until somebody says so.")] = None


class MaintenanceEnd(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was done to a server."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "Fan 3 is new."}

    reason: Why


class SheetServer(
    Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """A server as a row of a sheet; an empty cell changes nothing, `-` empties."""

    serial: Annotated[str, Meta(description="By this it is known.")]
    name: str = ""
    model: str = ""
    datacentre: str = ""
    rack: str = ""
    u_position: str = ""
    u_height: str = ""
    side: str = ""
    cpu_model: str = ""
    cpu_count: str = ""
    ram_gb: str = ""
    raid_controller: Annotated[str, Meta(description="`yes` or `no`.")] = ""
    raid_model: str = ""
    power_draw_watts: str = ""
    feeds: str = ""
    weight_kg: str = ""
    mac: str = ""
    disks: Annotated[str, Meta(description="As `2 x 960 nvme; 4 x 8 TB hdd`.")] = ""
    warranty_ends_on: str = ""
    note: str = ""
    in_stock: Annotated[str, Meta(description="`no`: a new one is only enrolled.")] = ""
    bmc_url: str = ""
    bmc_username: str = ""
    bmc_password: str = ""
    bmc_boot_method: Annotated[
        str, Meta(description="`network`, `http` or `virtual-media`; empty: `network`.")
    ] = ""


class ServerSheet(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Servers to take in, as rows of the CSV that the servers' page exports."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "servers": [
            {
                "name": "ams1-a07-u03",
                "serial": "ABC1234",
                "datacentre": "ams1",
                "rack": "A07",
                "u_position": "3",
                "cpu_model": "AMD EPYC 7443P",
                "ram_gb": "128",
                "disks": "2 x 960 nvme",
                "mac": "02:00:5e:10:00:01",
            }
        ],
        "dry_run": True,
    }

    servers: Annotated[list[SheetServer], Meta(min_length=1, max_length=5_000)]
    dry_run: Annotated[bool, Meta(description="Only say what would be done.")] = False


class SheetRowLine(Struct, frozen=True, kw_only=True):
    """A row of what was sent, by its place from 1, and what there is to say of it."""

    row: int
    name: str
    text: str


class SheetResult(Struct, frozen=True, kw_only=True):
    """What became of rows; with one in `faults`, nothing was written."""

    is_kept: bool
    unchanged: int
    new: tuple[SheetRowLine, ...]
    changed: tuple[SheetRowLine, ...]
    faults: tuple[SheetRowLine, ...]


class RackDevice(Struct, frozen=True, kw_only=True):
    """What else is in a rack; without a position it fills no unit."""

    id: UUID
    kind: DeviceKind
    name: str
    model: str
    u_position: int | None
    u_height: int
    side: Side
    power_draw_watts: int


class RackServer(Struct, frozen=True, kw_only=True):
    """A server in its rack."""

    id: UUID
    name: str
    u_position: Unit
    u_height: int
    side: Side
    state: ServerState
    power_draw_watts: int


class RackLine(Struct, frozen=True, kw_only=True):
    """A rack, its limits (null is none), and what stands there."""

    id: UUID
    datacentre: str
    name: str
    room: str
    row: str
    place: int
    u_height: int
    used_units: int
    power_draw_watts: int
    power_budget_watts: Annotated[int, Meta(description="For all together; 0 is no limit.")]
    feed_a_watts: int | None
    feed_b_watts: int | None
    cooling_watts: int | None
    weight_kg: int | None
    most_of_client: int | None
    note: str
    servers: tuple[RackServer, ...]
    devices: tuple[RackDevice, ...]


class RackList(Paged, frozen=True, kw_only=True):
    """A part of the list of racks, the latest first."""

    items: tuple[RackLine, ...]


class PortLine(Struct, frozen=True, kw_only=True):
    """A port, and where its cable goes."""

    id: UUID
    name: str
    kind: PortKind
    mac: str | None
    speed_mbps: int
    cable: Annotated[UUID | None, Meta(description="Id of the cable in it.")]
    far_owner: Annotated[str | None, Meta(description="Server or device at the other end.")]
    far_port: str | None


class PortList(Struct, frozen=True):
    """All ports of a server."""

    items: tuple[PortLine, ...]


class NewCable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cable that is to be plugged into two free ports of one kind."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "a_port": "01a21000-0000-7000-8000-000000000001",
        "b_port": "01a21000-0000-7000-8000-000000000002",
        "label": "C-17",
    }

    a_port: UUID
    b_port: UUID
    label: Annotated[str, Meta(max_length=100)] = ""
    colour: Annotated[str, Meta(max_length=100)] = ""
    length_cm: Annotated[int, Meta(ge=0, le=1_000_000)] = 0


class CableLine(Struct, frozen=True, kw_only=True):
    """A cable and both of its ends."""

    id: UUID
    kind: PortKind
    label: str
    colour: str
    length_cm: int
    a_owner: str
    a_port: str
    b_owner: str
    b_port: str


def server_line(server: ServerView) -> ServerLine:
    own = {"order", "disks"}
    names = tuple(name for name in ServerLine.__struct_fields__ if name not in own)
    disks = tuple(ServerDisk(one.kind, one.capacity_gb, one.count) for one in server.disks)
    return ServerLine(**same(server, names), order=server.holder, disks=disks)


def rack_line(rack: RackView) -> RackLine:
    own = {"servers", "devices"}
    names = tuple(name for name in RackLine.__struct_fields__ if name not in own)
    servers, devices = RackServer.__struct_fields__, RackDevice.__struct_fields__
    return RackLine(
        **same(rack, names),
        servers=tuple(RackServer(**same(one, servers)) for one in rack.servers),
        devices=tuple(RackDevice(**same(one, devices)) for one in rack.devices),
    )


def verdict(found: tuple[Obstacle, ...]) -> PlaceVerdict:
    return PlaceVerdict(tuple(PlaceObstacle(one.rule, one.text) for one in found))


def sheet_result(arrived: ServersArrived) -> SheetResult:
    def lines(some: tuple[SheetLine, ...]) -> tuple[SheetRowLine, ...]:
        return tuple(
            SheetRowLine(row=one.number, name=one.text, text=one.fault or one.note) for one in some
        )

    return SheetResult(
        is_kept=arrived.is_kept,
        unchanged=arrived.unchanged,
        new=lines(arrived.new),
        changed=lines(arrived.changed),
        faults=lines(arrived.faults),
    )


def port_line(port: PortView) -> PortLine:
    return PortLine(**same(port, PortLine.__struct_fields__))


def cable_line(cable: CableView) -> CableLine:
    return CableLine(**same(cable, CableLine.__struct_fields__))
