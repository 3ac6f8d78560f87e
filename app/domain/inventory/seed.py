"""The hardware of a provider as plain data: what a set-up file or a form says of it."""

from typing import Annotated, Literal

import msgspec

from app.solver.want import DiskKind

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Count = Annotated[int, msgspec.Meta(ge=1, le=32_767)]
Amount = Annotated[int, msgspec.Meta(ge=0, le=2_147_483_647)]
Mac = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{2}(:[0-9a-f]{2}){5}$")]


class DatacentreSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A site; known by its code."""

    code: Name
    name: Name
    city: str = ""
    country: str = ""


class RackSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rack; known by its datacentre's code and its name."""

    datacentre: str
    name: Name
    u_height: Count = 42
    power_budget_watts: Amount = 0


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


class BmcSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A management controller. The password is sealed before it is written down."""

    url: Annotated[str, msgspec.Meta(pattern="^https?://[^/]+/?$")]
    """Scheme, host and port."""
    username: str
    password: str
    system_path: str = ""
    """`/redfish/v1/Systems/…`; "" when it has exactly one system."""
    tls_mode: Literal["ca", "pin", "off"] = "ca"
    ca_pem: str = ""
    """`ca`: the CA's certificate, "" for the machine's own bundle; `pin`: the SHA-256 in hex."""
    boot_method: Literal["network", "virtual-media"] = "network"
    protocol: Literal["redfish"] = "redfish"

    def __repr__(self) -> str:
        return f"BmcSeed({self.url!r})"


class ServerSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A machine; known by its serial number."""

    name: Name
    serial: Name
    datacentre: str
    rack: str
    u_position: Count
    """Lowest unit that it fills, counted from 1."""
    u_height: Count = 1
    cpu_model: str
    cpu_count: Count = 1
    ram_gb: Count
    raid_controller: bool = False
    power_draw_watts: Amount = 0
    mac: Mac
    """Of the network card that it boots from."""
    disks: tuple[DiskSeed, ...] = ()
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
