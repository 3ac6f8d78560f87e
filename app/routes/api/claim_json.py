"""Addresses, VLANs and reservations as the API tells them; this stays as it is across releases."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, Struct, UnsetType

from app.domain.addresses.history import Tenure
from app.domain.addresses.keep import ReservationView
from app.domain.addresses.names import NameState, NameView
from app.domain.addresses.search import Standing
from app.domain.addresses.states import ClaimState
from app.domain.addresses.views import ClaimView, VlanGroupView
from app.ipam.wants import AddressKind
from app.routes.api.listing import Paged
from app.routes.api.space_json import Client, Network, Purpose, Text, Until, Vid, VrfName, Why, same


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


class ClaimChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be otherwise of a claim by hand; what is left out stays."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"seq": 1, "description": "route reflector 2"}

    seq: Annotated[int, Meta(description="That of the claim.", ge=0, le=2**63 - 1)]
    description: Why | UnsetType = UNSET
    role: Purpose | UnsetType = UNSET
    expires_at: Until | UnsetType = UNSET


class HostName(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The host name that reverse DNS is to say for an address."""

    EXAMPLE: ClassVar[Mapping[str, Any]] = {"hostname": "rr2.example.net"}

    hostname: Annotated[str, Meta(description="Empty: none any more.", max_length=255)]


class NameLine(Struct, frozen=True, kw_only=True):
    """The host name of an address, and how far the name server is with it."""

    address: str
    hostname: str
    state: NameState


class NameList(Struct, frozen=True):
    """The host names of an address, or of those in its /64."""

    items: tuple[NameLine, ...]


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
    names: Annotated[
        tuple[NameLine, ...], Meta(description="Of reverse DNS; of a /64, those in it.")
    ]
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
        **same(claim, CLAIM_FIELDS),
    )


CLAIM_FIELDS = (
    "id", "seq", "kind", "state", "order_number", "hostname", "client", "client_email",
    "claimed_at", "expires_at",
)  # fmt: skip


def name_line(name: NameView) -> NameLine:
    return NameLine(address=str(name.address), hostname=name.hostname or "", state=name.state)


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
        **same(tenure, TENURE_FIELDS),
    )


TENURE_FIELDS = (
    "since", "until", "state", "order_number", "hostname", "client", "client_email",
)  # fmt: skip


def vlan_group_line(group: VlanGroupView) -> VlanGroupLine:
    return VlanGroupLine(**same(group, VlanGroupLine.__struct_fields__))


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
