"""The address space as the API tells it; what this says stays as it is across releases.

Fields that NetBox has too are named as there: `prefix`, `family`, `role`, `description`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar, TypeAlias
from uuid import UUID

from litestar.params import PathParameter
from msgspec import UNSET, Meta, Struct, UnsetType
from msgspec.structs import replace

from app.domain.addresses.history import Tenure
from app.domain.addresses.keep import ReservationView
from app.domain.addresses.search import Standing
from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.states import ClaimState, PrefixStatus
from app.domain.addresses.views import ClaimView, PrefixView, VlanGroupView
from app.ipam.choice import Strategy
from app.ipam.wants import AddressKind
from app.routes.api.listing import Paged

PrefixId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the prefix.")]
GroupId: TypeAlias = Annotated[UUID, PathParameter(description="Id of the VLAN group.")]

Network: TypeAlias = Annotated[
    str, Meta(description="CIDR notation.", examples=["192.0.2.0/24"], max_length=64)
]
VrfName: TypeAlias = Annotated[
    str | None, Meta(description="Name of the VRF; null: the global one.")
]
Text: TypeAlias = Annotated[str, Meta(max_length=200)]
Why: TypeAlias = Annotated[
    str, Meta(description="Shown wherever it is, and kept.", min_length=1, max_length=500)
]
Vid: TypeAlias = Annotated[int, Meta(ge=1, le=4094)]
Cooldown: TypeAlias = Annotated[
    int,
    Meta(description="How long a released address stays nobody's, in s.", ge=0, le=31_536_000),
]
Client: TypeAlias = (
    Annotated[str, Meta(description="E-mail address or id of the account.", max_length=320)] | None
)
Purpose: TypeAlias = Annotated[str, Meta(description="What it is used as.", max_length=200)]
Until: TypeAlias = Annotated[datetime | None, Meta(description="When it ends; null: never.")]


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
    free: int
    held: int
    assigned: int
    reserved: int
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


class Removed(Struct, frozen=True):
    """What is no longer there."""

    id: UUID


class AvailableIp(Struct, frozen=True, kw_only=True):
    """An address (IPv6: a /64) that is free, in NetBox's shape."""

    family: int
    address: Annotated[str, Meta(description="With the length of its prefix.")]
    vrf: VrfName
    description: str = ""


class AddressRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One address to be claimed by hand. NetBox's further fields are not known here."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"description": "route reflector"}

    description: Why
    client: Client = None
    role: Purpose = ""
    expires_at: Until = None


class AddressLine(Struct, frozen=True, kw_only=True):
    """A taken address or /64 (`address`) or VLAN id (`vid`), and whose it is."""

    id: Annotated[int, Meta(description="Of the claim: an address that is taken anew has another.")]
    seq: Annotated[int, Meta(description="Rises with every change; a release names it.")]
    kind: AddressKind
    address: Annotated[str | None, Meta(description="The address, or the /64.")]
    vid: int | None
    pool: Annotated[UUID, Meta(description="The prefix, or the VLAN group.")]
    pool_name: str
    state: ClaimState
    order: UUID | None
    order_number: int | None
    hostname: str | None
    client: UUID | None
    client_email: str | None
    role: Annotated[str, Meta(description="What it is used as.")]
    description: Annotated[str, Meta(description="What staff said it is for.")]
    claimed_at: datetime
    expires_at: Annotated[datetime | None, Meta(description="End of hold, claim or cool-down.")]


class AddressList(Paged, frozen=True, kw_only=True):
    """A part of the list of what is taken, the latest first."""

    items: tuple[AddressLine, ...]


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


class AddressClaimRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address, a /64 or a range that is to be claimed by hand, by name."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "address": "192.0.2.17",
        "description": "route reflector",
    }

    address: Annotated[str, Meta(description="At most 256 of them.", max_length=100)]
    description: Why
    vrf: VrfName = None
    client: Client = None
    role: Purpose = ""
    expires_at: Until = None


class Release(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which claim is to end: as it was seen, and why."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"seq": 1, "reason": "replaced"}

    seq: Annotated[int, Meta(description="That of the claim.", ge=0, le=2**63 - 1)]
    reason: Why


class Claims(Struct, frozen=True):
    """What was claimed, in order."""

    items: tuple[AddressLine, ...]


class AddressStanding(Struct, frozen=True, kw_only=True):
    """How an address stands in a VRF now."""

    vrf: VrfName
    prefix: Network
    prefix_id: UUID
    kept_for: Annotated[str | None, Meta(description="A client or purpose; null: for nobody.")]
    claim: Annotated[AddressLine | None, Meta(description="Null: it is free.")]


class TenureLine(Struct, frozen=True, kw_only=True):
    """One state of an address, from `since` until before `until` (null: it lasts)."""

    since: datetime
    until: datetime | None
    vrf: VrfName
    state: Annotated[str, Meta(description="As of a claim, or `free`.")]
    order: UUID | None
    order_number: int | None
    hostname: str | None
    client: UUID | None
    client_email: str | None
    role: str
    description: str


class AddressDetail(Struct, frozen=True, kw_only=True):
    """An address (IPv6: a /64), how it stands in each VRF, and who has had it."""

    address: str
    now: tuple[AddressStanding, ...]
    history: Annotated[tuple[TenureLine, ...], Meta(description="By VRF, the earliest first.")]


class VlanGroupLine(Struct, frozen=True, kw_only=True):
    """A group of VLAN ids, and how full it is."""

    id: UUID
    name: str
    datacentre: str
    rack: str | None
    first_vid: int
    last_vid: int
    auto_allocatable: bool
    taken: int
    free: int


class VlanGroupList(Struct, frozen=True):
    """All VLAN groups, by name."""

    items: tuple[VlanGroupLine, ...]


class NewVlanGroup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A VLAN group that is to be."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "ams1-access", "datacentre": "ams1"}

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    datacentre: Text
    rack: Text | None = None
    first_vid: Vid = 100
    last_vid: Vid = 3999
    auto_allocatable: bool = True


class VlanGroupChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise; what is left out stays. The name never changes."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"last_vid": 2000}

    datacentre: Text | UnsetType = UNSET
    rack: Text | UnsetType | None = UNSET
    first_vid: Vid | UnsetType = UNSET
    last_vid: Vid | UnsetType = UNSET
    auto_allocatable: bool | UnsetType = UNSET


class VlanRequest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A VLAN id that is to be claimed by hand."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"vid": 107, "description": "storage"}

    vid: Vid
    description: Why
    client: Client = None
    role: Purpose = ""
    expires_at: Until = None


class ReservationLine(Struct, frozen=True, kw_only=True):
    """Addresses that are kept for a client's orders, or for a purpose and then for no order."""

    id: UUID
    prefix: Annotated[UUID, Meta(description="Id of the prefix.")]
    vrf: VrfName
    address: Annotated[str, Meta(description="An address, a network or a range.")]
    client: UUID | None
    client_email: str | None
    role: str
    description: str
    expires_at: Until


class ReservationList(Paged, frozen=True, kw_only=True):
    """A part of the list of reservations, the latest first."""

    items: tuple[ReservationLine, ...]


class NewReservation(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be kept, for whom and why; a client or a role is needed."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {
        "address": "192.0.2.64/28",
        "client": "ada@example.net",
        "description": "by contract",
    }

    address: Annotated[str, Meta(description="An address, a network or a range.", max_length=100)]
    description: Why
    vrf: VrfName = None
    client: Client = None
    role: Purpose = ""
    expires_at: Until = None


class Ending(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a reservation ends."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"reason": "the contract ended"}

    reason: Why


class VrfLine(Struct, frozen=True):
    """A routing table of its own."""

    name: str


class VrfList(Struct, frozen=True):
    """All VRFs beside the global one."""

    items: tuple[VrfLine, ...]


class NewVrf(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A VRF that is to be."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"name": "mgmt"}

    name: Annotated[str, Meta(min_length=1, max_length=100)]
    description: Text = ""


def seed_of(new: NewPrefix) -> PrefixSeed:
    return PrefixSeed(
        network=new.prefix,
        vrf=new.vrf or "",
        purpose=new.role,
        note=new.description,
        **_same(new, PREFIX_FIELDS),
    )


PREFIX_FIELDS = (
    "status", "datacentre", "rack", "gateway", "reserved", "auto_allocatable", "strategy",
    "cooldown_s", "vlan_group", "vid", "forward_zone", "reverse_zone", "check_first",
)  # fmt: skip


def changed(before: PrefixSeed, change: PrefixChange) -> PrefixSeed:
    """Return the prefix with what `change` says."""
    facts = _same(change, PREFIX_FIELDS) | {"purpose": change.role, "note": change.description}
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
        **_same(prefix, PREFIX_COUNTS),
    )


PREFIX_COUNTS = (
    "id", "status", "datacentre", "rack", "auto_allocatable", "strategy", "cooldown_s",
    "vlan_group", "vid", "forward_zone", "reverse_zone", "check_first", "size", "free", "held",
    "assigned", "reserved", "quarantined",
)  # fmt: skip


def address_line(claim: ClaimView) -> AddressLine:
    is_vlan = claim.kind is AddressKind.vlan
    return AddressLine(
        address=None if is_vlan else claim.text,
        vid=int(claim.text) if is_vlan else None,
        pool=claim.scope,
        pool_name=claim.pool,
        order=claim.holder,
        role=claim.purpose,
        description=claim.reason,
        **_same(claim, CLAIM_FIELDS),
    )


CLAIM_FIELDS = (
    "id", "seq", "kind", "state", "order_number", "hostname", "client", "client_email",
    "claimed_at", "expires_at",
)  # fmt: skip


def standing_line(standing: Standing) -> AddressStanding:
    return AddressStanding(
        vrf=standing.vrf or None,
        prefix=standing.network,
        prefix_id=standing.prefix,
        kept_for=standing.kept or None,
        claim=address_line(standing.claim) if standing.claim else None,
    )


def tenure_line(vrf: str, tenure: Tenure) -> TenureLine:
    return TenureLine(
        vrf=vrf or None,
        order=tenure.holder,
        role=tenure.purpose,
        description=tenure.reason,
        **_same(tenure, TENURE_FIELDS),
    )


TENURE_FIELDS = (
    "since", "until", "state", "order_number", "hostname", "client", "client_email",
)  # fmt: skip


def vlan_group_line(group: VlanGroupView) -> VlanGroupLine:
    return VlanGroupLine(**_same(group, VlanGroupLine.__struct_fields__))


def reservation_line(one: ReservationView) -> ReservationLine:
    return ReservationLine(
        id=one.id,
        prefix=one.prefix,
        vrf=one.vrf or None,
        address=one.what,
        client=one.client,
        client_email=one.client_email,
        role=one.purpose,
        description=one.reason,
        expires_at=one.expires_at,
    )


def _same(thing: object, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: getattr(thing, name) for name in names}
