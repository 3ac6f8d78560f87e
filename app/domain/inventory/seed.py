"""The hardware of a provider as plain data: what a set-up file or a form says of it."""

from datetime import date
from typing import Annotated, Literal, TypeAlias

import msgspec

from app.drivers.bmc.contract import BmcProtocol
from app.solver.want import DiskKind

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Count = Annotated[int, msgspec.Meta(ge=1, le=32_767)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=2_147_483_647)]
Limit = Annotated[int, msgspec.Meta(ge=0, le=2_147_483_647)] | None
"""None is no limit."""
Mac = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]
Text = Annotated[str, msgspec.Meta(max_length=100)]
Note = Annotated[str, msgspec.Meta(max_length=2000)]
Side: TypeAlias = Literal["both", "front", "rear"]
"""Which side of the rack is filled: both by what has full depth."""
Feeds: TypeAlias = Literal["AB", "A", "B"]
DeviceKind: TypeAlias = Literal["switch", "pdu", "panel", "other"]
PortKind: TypeAlias = Literal["network", "power", "console"]


class DatacentreSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site; known by its code."""

    code: Name
    name: Name
    city: str = ""
    country: str = ""


class RackSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rack; known by its datacentre's code and its name. Room and row are made where needed."""

    datacentre: str
    name: Name
    u_height: Count = 42
    power_budget_watts: Amount = 0
    """For all that stands there together; 0 is no limit."""
    room: Text = ""
    row: Text = ""
    place: Annotated[int, msgspec.Meta(ge=0, le=32_767)] = 0
    """In its row, from the left."""
    feed_a_watts: Limit = None
    feed_b_watts: Limit = None
    cooling_watts: Limit = None
    weight_kg: Limit = None
    most_of_client: Count | None = None
    note: Note = ""


class CpuSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A CPU model; known by its name. Cores and threads are of one socket."""

    name: Name
    cores: Count
    threads: Count
    base_mhz: Amount = 0


class EquivalenceSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`stand_in` may be delivered where `wanted` was ordered, not the other way round."""

    group: Name
    wanted: str
    stand_in: str
    cost: Amount = 1


class DiskSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Equal disks of a server."""

    kind: DiskKind
    capacity_gb: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
    quantity: Count = 1


BootMethod: TypeAlias = Literal["network", "virtual-media", "http"]
"""How a system gets onto a machine: by PXE, by a boot image in its BMC's drive, or by UEFI's HTTP
boot. The last two are Redfish's alone."""


def boot_fault(protocol: BmcProtocol, method: str) -> str:
    """Return why systems cannot get onto a machine so; "" where they can."""
    if protocol is not BmcProtocol.IPMI or method == "network":
        return ""
    lacks = "UEFI HTTP boot" if method == "http" else "virtual media"
    return f"IPMI has no {lacks}: choose the network, or Redfish where the BMC speaks it."


class BmcSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A management controller. The password is sealed before it is written down."""

    url: Annotated[str, msgspec.Meta(pattern="^(https?|ipmi)://[^/]+/?$")]
    """Scheme, host and port: `https://…`, or `ipmi://…` by IPMI."""
    username: str
    password: str
    system_path: str = ""
    """`/redfish/v1/Systems/…`; "" when it has exactly one system."""
    tls_mode: Literal["ca", "pin", "off"] = "ca"
    ca_pem: str = ""
    """`ca`: the CA's certificate, "" for the machine's own bundle; `pin`: the SHA-256 in hex."""
    boot_method: BootMethod = "network"
    protocol: BmcProtocol = BmcProtocol.REDFISH

    def __repr__(self) -> str:
        return f"BmcSeed({self.url!r})"


class PortSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A place for a cable; known by its name on its server or device."""

    name: Name
    kind: PortKind = "network"
    mac: Mac | None = None
    speed_mbps: Amount = 0


class DeviceSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What else is in a rack; known by its name. Without a position it fills no unit."""

    name: Name
    kind: DeviceKind
    datacentre: str
    rack: str
    u_position: Count | None = None
    u_height: Count = 1
    side: Side = "both"
    model: Text = ""
    serial: Text = ""
    feeds: Feeds = "AB"
    power_draw_watts: Amount = 0
    weight_kg: Amount = 0
    note: Note = ""
    ports: tuple[PortSeed, ...] = ()


class CableSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A cable between two ports, each given as (server or device, port)."""

    a: tuple[str, str]
    b: tuple[str, str]
    label: Text = ""
    colour: Text = ""
    length_cm: Amount = 0


class ServerSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine; known by its serial number."""

    name: Name
    serial: Name
    model: Text = ""
    datacentre: str
    rack: str
    u_position: Count
    """Lowest unit that it fills, counted from 1."""
    u_height: Count = 1
    side: Side = "both"
    cpu_model: str
    cpu_count: Count = 1
    ram_gb: Count
    raid_controller: bool = False
    raid_model: Text = ""
    power_draw_watts: Amount = 0
    feeds: Feeds = "AB"
    weight_kg: Amount = 0
    mac: Mac
    """Of the network card that it boots from."""
    disks: tuple[DiskSeed, ...] = ()
    ports: tuple[PortSeed, ...] = ()
    """Its network cards, power supplies and consoles; those that are known and not named stay."""
    warranty_ends_on: date | None = None
    note: Note = ""
    bmc: BmcSeed | None = None
    in_stock: bool = True
    """Whether a machine that was not known before can be sold at once, or is only enrolled."""


class InventorySeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything at once; each part may refer to what is in the database already."""

    datacentres: tuple[DatacentreSeed, ...] = ()
    racks: tuple[RackSeed, ...] = ()
    cpu_models: tuple[CpuSeed, ...] = ()
    equivalences: tuple[EquivalenceSeed, ...] = ()
    servers: tuple[ServerSeed, ...] = ()
    devices: tuple[DeviceSeed, ...] = ()
    cables: tuple[CableSeed, ...] = ()
