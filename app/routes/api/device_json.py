"""Switches, PDUs and their ports, as the API tells and takes them."""

from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import Meta, Struct

from app.domain.inventory.seed import (
    Amount,
    DeviceKind,
    Feeds,
    Mac,
    Name,
    Note,
    PortKind,
    Side,
    Text,
)
from app.domain.inventory.views import DeviceView
from app.routes.api.listing import Paged
from app.routes.api.server_json import Unit
from app.routes.api.space_json import same

DeviceId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the device.")]


class DeviceFacts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written down of a device; without a position it fills no unit."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "kind": "switch",
        "model": "DCS-7050SX3",
        "u_position": 42,
        "power_draw_watts": 190,
    }

    kind: DeviceKind
    u_position: Unit | None = None
    u_height: Annotated[int, Meta(ge=1, le=100)] = 1
    side: Side = "both"
    model: Text = ""
    serial: Text = ""
    feeds: Feeds = "AB"
    power_draw_watts: Amount = 0
    weight_kg: Amount = 0
    note: Note = ""


class NewPort(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place for a cable."""

    name: Name
    kind: PortKind = "network"
    mac: Mac | None = None
    speed_mbps: Annotated[Amount, Meta(description="0: not known.")] = 0


class NewPorts(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Ports that are added; one that is there is brought to this."""

    EXAMPLE: ClassVar[dict[str, Any]] = {"ports": [{"name": "swp1", "speed_mbps": 25_000}]}

    ports: Annotated[list[NewPort], Meta(min_length=1, max_length=500)]


class NewDevice(DeviceFacts, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device that is put into a rack, with its ports."""

    EXAMPLE: ClassVar[dict[str, Any]] = DeviceFacts.EXAMPLE | {
        "rack_id": "01a21000-0000-7000-8000-000000000001",
        "name": "ams1-a07-sw1",
        "ports": [{"name": "swp1", "speed_mbps": 25_000}, {"name": "swp2"}],
    }

    rack_id: UUID
    name: Name
    ports: Annotated[list[NewPort], Meta(max_length=500)] = []


class DeviceLine(Struct, frozen=True, kw_only=True):
    """A switch, a PDU, or what else is in a rack."""

    id: UUID
    kind: DeviceKind
    name: str
    model: str
    serial: str
    datacentre: Annotated[str, Meta(description="Its code.")]
    rack: Annotated[str, Meta(description="Name of the rack.")]
    rack_id: UUID
    u_position: int | None
    u_height: int
    side: Side
    feeds: Feeds
    power_draw_watts: int
    weight_kg: int
    note: str
    ports: Annotated[int, Meta(description="How many it has.")]
    cabled: Annotated[int, Meta(description="Of these, with a cable in them.")]


class DeviceList(Paged, frozen=True, kw_only=True):
    """A part of the list of devices, the latest first."""

    items: tuple[DeviceLine, ...]


def device_line(device: DeviceView) -> DeviceLine:
    return DeviceLine(**same(device, DeviceLine.__struct_fields__))
