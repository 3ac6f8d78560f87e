"""Prefixes as the API tells them; what this says stays as it is across releases."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.views import PrefixView, VrfView
from app.ipam.choice import Strategy
from app.routes.api.listing import Paged
from app.routes.api.space_json import Cooldown, Network, Text, Vid, VrfName, same


class PrefixLine(Struct, frozen=True, kw_only=True):
    """A prefix, and how full it is. Counts are of addresses (IPv4) or of /64s (IPv6)."""

    id: UUID
    prefix: Network
    family: Annotated[int, Meta(description="4 or 6.")]
    vrf: VrfName
    status: PrefixStatus
    datacentre: Annotated[str, Meta(description="Its code.")]
    rack: Annotated[str | None, Meta(description="Name of the rack; null: all of them.")]
    gateway: str | None
    role: Annotated[str, Meta(description="The purpose that products ask for.")]
    auto_allocatable: Annotated[bool, Meta(description="Whether orders take from it.")]
    strategy: Strategy
    cooldown_s: int
    vlan_group: Annotated[str | None, Meta(description="Name of the group of its VLAN.")]
    vid: int | None
    forward_zone: str
    reverse_zone: Annotated[str, Meta(description="Empty: that of the network.")]
    check_first: Annotated[
        bool, Meta(description="Whether an address is looked at before an order gets it.")
    ]
    description: str
    size: int
    free: Annotated[int, Meta(description="Free for anyone: neither taken nor kept.")]
    kept: Annotated[
        int,
        Meta(description="Kept for a client or a purpose and not taken: free to these alone."),
    ]
    held: int
    assigned: int
    by_hand: Annotated[int, Meta(description="Claimed by staff.")]
    reserved: Annotated[
        int, Meta(description="Kept back: network, broadcast, gateway and the prefix's `reserved`.")
    ]
    quarantined: int


class PrefixList(Paged, frozen=True, kw_only=True):
    """A part of the list of prefixes, the latest first."""

    items: tuple[PrefixLine, ...]


class NewPrefix(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prefix that is to be."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "prefix": "192.0.2.0/24",
        "datacentre": "ams1",
        "gateway": "192.0.2.1",
    }

    prefix: Network
    datacentre: Annotated[str, Meta(description="Its code.", max_length=100)]
    vrf: VrfName = None
    status: PrefixStatus = PrefixStatus.active
    rack: Text | None = None
    gateway: Text | None = None
    reserved: Annotated[
        tuple[str, ...], Meta(description="Never given out: addresses, networks and ranges.")
    ] = ()
    role: Annotated[str, Meta(min_length=1, max_length=100)] = "primary"
    auto_allocatable: bool = True
    strategy: Strategy = Strategy.sequential
    cooldown_s: Cooldown = 3600
    vlan_group: Text | None = None
    vid: Vid | None = None
    forward_zone: Text = ""
    reverse_zone: Text = ""
    check_first: bool = False
    description: Text = ""


class PrefixChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays. Network and VRF never change."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"status": "deprecated", "auto_allocatable": False}

    datacentre: Text | UnsetType = UNSET
    status: PrefixStatus | UnsetType = UNSET
    rack: Text | UnsetType | None = UNSET
    gateway: Text | UnsetType | None = UNSET
    reserved: tuple[str, ...] | UnsetType = UNSET
    role: Annotated[str, Meta(min_length=1, max_length=100)] | UnsetType = UNSET
    auto_allocatable: bool | UnsetType = UNSET
    strategy: Strategy | UnsetType = UNSET
    cooldown_s: Cooldown | UnsetType = UNSET
    vlan_group: Text | UnsetType | None = UNSET
    vid: Vid | UnsetType | None = UNSET
    forward_zone: Text | UnsetType = UNSET
    reverse_zone: Text | UnsetType = UNSET
    check_first: bool | UnsetType = UNSET
    description: Text | UnsetType = UNSET


class Length(Struct, frozen=True, forbid_unknown_fields=True):
    """The length that prefixes are split or merged into."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"prefix_length": 26}

    prefix_length: Annotated[int, Meta(ge=8, le=64)]


class PrefixParts(Struct, frozen=True, kw_only=True):
    """The prefixes that a split made, in order."""

    items: tuple[PrefixLine, ...]


class AvailableIp(Struct, frozen=True, kw_only=True):
    """An address (IPv6: a /64) that is free, in NetBox's shape."""

    family: int
    address: Annotated[str, Meta(description="With the length of its prefix.")]
    vrf: VrfName
    description: str = ""


class AvailablePrefix(Struct, frozen=True, kw_only=True):
    """A network of a container that is of no prefix, in NetBox's shape."""

    family: int
    prefix: Network
    vrf: VrfName


class PrefixRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A prefix to be made of the lowest free network of this length."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"prefix_length": 26, "description": "Rack 7"}

    prefix_length: Annotated[int, Meta(ge=8, le=64)]
    status: PrefixStatus = PrefixStatus.active
    role: Annotated[str, Meta(min_length=1, max_length=100)] = "primary"
    auto_allocatable: bool = True
    description: Text = ""


class VrfLine(Struct, frozen=True):
    """A routing table of its own, and how many prefixes are in it."""

    id: UUID
    name: str
    description: str
    prefixes: int


class VrfList(Struct, frozen=True):
    """All VRFs beside the global one."""

    items: tuple[VrfLine, ...]


class NewVrf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A VRF that is to be."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "mgmt"}

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    description: Text = ""


def vrf_line(vrf: VrfView) -> VrfLine:
    return VrfLine(vrf.id, vrf.name, vrf.note, vrf.prefixes)


def seed_of(new: NewPrefix) -> PrefixSeed:
    return PrefixSeed(
        network=new.prefix,
        vrf=new.vrf or "",
        purpose=new.role,
        note=new.description,
        **same(new, PREFIX_FIELDS),
    )


PREFIX_FIELDS = (
    "status", "datacentre", "rack", "gateway", "reserved", "auto_allocatable", "strategy",
    "cooldown_s", "vlan_group", "vid", "forward_zone", "reverse_zone", "check_first",
)  # fmt: skip


def changed(before: PrefixSeed, change: PrefixChange) -> PrefixSeed:
    """Return the prefix with what `change` says."""
    facts = same(change, PREFIX_FIELDS) | {"purpose": change.role, "note": change.description}
    given = {name: value for name, value in facts.items() if value is not UNSET}
    return replace(before, **given)


def prefix_line(prefix: PrefixView) -> PrefixLine:
    return PrefixLine(
        prefix=str(prefix.network),
        family=prefix.network.version,
        vrf=prefix.vrf or None,
        gateway=str(prefix.gateway) if prefix.gateway else None,
        role=prefix.purpose,
        description=prefix.note,
        **same(prefix, PREFIX_COUNTS),
    )


PREFIX_COUNTS = (
    "id", "status", "datacentre", "rack", "auto_allocatable", "strategy", "cooldown_s",
    "vlan_group", "vid", "forward_zone", "reverse_zone", "check_first", "size", "free", "kept",
    "held", "assigned", "by_hand", "reserved", "quarantined",
)  # fmt: skip
