"""Addresses and prefixes as orders, installations and pages see them."""

from datetime import datetime
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias
from uuid import UUID

import msgspec

from app.core.paging import Page
from app.domain.addresses.states import ClaimState, PrefixStatus
from app.ipam.choice import Strategy
from app.ipam.wants import AddressKind


class Ip4(msgspec.Struct, frozen=True):
    """An IPv4 address and how it is configured; `prefix_length` is the network's."""

    address: IPv4Address
    prefix_length: int
    gateway: IPv4Address | None
    item: str


class Ip6Net(msgspec.Struct, frozen=True):
    """An IPv6 network of its own; the machine is `host_address` in it."""

    network: IPv6Network
    gateway: IPv6Address | None
    host_address: IPv6Address
    item: str


class Claimed(msgspec.Struct, frozen=True):
    """All that an order has, primary first."""

    ip4: tuple[Ip4, ...] = ()
    ip6: tuple[Ip6Net, ...] = ()
    vlan: int | None = None


class Drift(msgspec.Struct, frozen=True, kw_only=True):
    """One contradiction; `kind` is stable, `subject` the address, prefix or service."""

    kind: str
    subject: str
    says: str


class PrefixView(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix and how full it is. Counts are of addresses (IPv4) or /64s (IPv6)."""

    id: UUID
    network: IPv4Network | IPv6Network
    vrf: str
    """Its name; empty for the global one."""
    status: PrefixStatus
    datacentre: str
    rack: str | None
    gateway: IPv4Address | IPv6Address | None
    purpose: str
    auto_allocatable: bool
    strategy: Strategy
    cooldown_s: int
    note: str
    vlan_group: str | None
    vid: int | None
    forward_zone: str
    reverse_zone: str
    check_first: bool
    size: int
    held: int
    assigned: int
    by_hand: int
    """Claimed by staff."""
    reserved: int
    """Kept back by the protocol, or by the prefix's own settings."""
    quarantined: int
    kept: int
    """What is kept for a client or a purpose and not taken: free to these alone."""

    @property
    def is_container(self) -> bool:
        return self.status is PrefixStatus.container

    @property
    def free(self) -> int:
        """What anyone may have."""
        taken = self.held + self.assigned + self.by_hand + self.quarantined
        return self.usable - taken - self.kept

    @property
    def usable(self) -> int:
        """What is not kept back."""
        return self.size - self.reserved

    @property
    def utilisation(self) -> float:
        """The share, 0 to 1, of what is usable that is not free."""
        return 1.0 if self.usable == 0 else 1.0 - self.free / self.usable


class VrfView(msgspec.Struct, frozen=True, kw_only=True):
    """A routing table of its own, and how many prefixes are in it."""

    id: UUID
    name: str
    note: str
    prefixes: int


class VlanGroupView(msgspec.Struct, frozen=True, kw_only=True):
    """A VLAN group and how full it is."""

    id: UUID
    name: str
    datacentre: str
    rack: str | None
    first_vid: int
    last_vid: int
    auto_allocatable: bool
    taken: int

    @property
    def size(self) -> int:
        return self.last_vid - self.first_vid + 1

    @property
    def free(self) -> int:
        return self.size - self.taken


class ClaimView(msgspec.Struct, frozen=True, kw_only=True):
    """One taken address, /64 or VLAN id, and whose it is."""

    id: int
    kind: AddressKind
    text: str
    """The address, network or VLAN id as it is written."""
    scope: UUID
    pool: str
    """The prefix, or the VLAN group's name."""
    state: ClaimState
    holder: UUID | None
    order_number: int | None
    hostname: str | None
    client: UUID | None
    client_email: str | None
    item: str
    purpose: str
    reason: str
    seq: int
    claimed_at: datetime
    expires_at: datetime | None
    """End of the hold, of the claim by hand or of the cool-down."""
    kept_back: str
    """What its prefix keeps it back for afterwards; empty when it is free then."""

    @property
    def is_by_hand(self) -> bool:
        """Whether staff made it, so that staff may end it."""
        return self.state is ClaimState.reserved and self.reason != "" and self.holder is None


ClaimPage: TypeAlias = Page[ClaimView]
