"""The address space of a provider as plain data: what a set-up file or a form says of it."""

from typing import Annotated

import msgspec

from app.domain.addresses.pools import GENERAL
from app.domain.addresses.states import PrefixStatus
from app.ipam.choice import Strategy

Vid = Annotated[int, msgspec.Meta(ge=1, le=4094)]


class VrfSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A routing table of its own; known by its name."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    note: str = ""


class VlanGroupSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """VLAN ids of a datacentre or of one rack; known by its name."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    datacentre: str
    """Code."""
    rack: str | None = None
    """Name of the rack whose switches the ids are for; None is the whole datacentre."""
    first_vid: Vid = 100
    last_vid: Vid = 3999
    auto_allocatable: bool = True


class PrefixSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A network that contains others, or is given out in addresses (IPv4) or networks (IPv6).

    Known by itself in its VRF.
    """

    network: str
    """CIDR notation; IPv6 at most /64 long, since it is given out in /64s."""
    vrf: str = ""
    """Name of the VRF; the global one if left out."""
    status: PrefixStatus | None = None
    """None leaves it as it is; a new one is active."""
    datacentre: str
    """Code."""
    rack: str | None = None
    """Name of the rack that the network is routed to; None is the whole datacentre."""
    gateway: str | None = None
    """Never given out. Of an IPv6 prefix, the whole /64 that it lies in is not."""
    purpose: str = GENERAL
    """Products that state no purpose are served from `primary` ones."""
    auto_allocatable: bool = True
    strategy: Strategy = Strategy.sequential
    cooldown_s: Annotated[int, msgspec.Meta(ge=0, le=31_536_000)] = 3600
    """How long an address is nobody's after a service has ended."""
    note: str = ""
    check_first: bool = False
    """Whether an address is only handed out when nothing answers at it and DNS has no old name."""
    vlan_group: str | None = None
    """Name of the group that `vid` is of."""
    vid: Vid | None = None
    """The VLAN that the network lies on."""
    forward_zone: str = ""
    """DNS zone that names its addresses, `example.net`."""
    reverse_zone: str = ""
    """DNS zone of its PTR records; left out, that of the network."""
    reserved: tuple[str, ...] = ()
    """Never given out: addresses, networks, or ranges such as `10.0.0.2-10.0.0.9`."""


class AddressSeed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything at once; datacentres and racks are in the database already."""

    vrfs: tuple[VrfSeed, ...] = ()
    vlan_groups: tuple[VlanGroupSeed, ...] = ()
    prefixes: tuple[PrefixSeed, ...] = ()
