"""Rank the prefixes and VLAN groups that can serve a want: where an address comes from."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from uuid import UUID

import msgspec

from app.ipam.choice import Strategy
from app.ipam.wants import AddressKind, AddressWant

_UNIT = {AddressKind.ip4: 32, AddressKind.ip6net: 64}
"""Length of what one offset of a prefix stands for."""

_VERSION = {AddressKind.ip4: 4, AddressKind.ip6net: 6}


class PrefixFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of a prefix to decide whether an order gets addresses from it."""

    id: UUID
    network: str
    """CIDR notation."""
    datacentre: str | None = None
    """Code of the datacentre; None serves all."""
    rack: str | None = None
    """Name of the rack; None serves all racks of the datacentre."""
    vlan_group: UUID | None = None
    purpose: str | None = None
    auto_allocatable: bool = True
    gateway: str | None = None
    strategy: Strategy = Strategy.sequential
    free: int
    """Free addresses (IPv4) or /64s (IPv6), as the index last knew them: a hint."""


class VlanGroupFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What must be known of a VLAN group to decide whether an order gets its VLAN from it."""

    id: UUID
    name: str
    datacentre: str | None = None
    """Code of the datacentre; None serves all."""
    rack: str | None = None
    """Name of the rack; None serves all racks of the datacentre."""
    auto_allocatable: bool = True
    free: int
    """Free VLAN ids, as the index last knew them: a hint."""
    contended: bool = False
    """Whether other processes were first in it again and again lately."""


def rank_prefixes(
    candidates: Sequence[PrefixFacts],
    want: AddressWant,
    *,
    datacentre: str | None,
    rack: str | None,
) -> list[PrefixFacts]:
    """Return the prefixes that may serve `want` for a machine at that place, the best first.

    A prefix serves when its family and size fit, it is auto-allocatable, is of the
    machine's datacentre and rack or of none, has the wanted purpose (one that the
    want lists by name needs none, if the want states none), and seems to have room.
    Order: the want's own list; prefixes of the rack, then of the datacentre, then the
    others; the fullest (so that empty ones stay whole for blocks), then the lowest.
    A VLAN has no prefix: such a want gets an empty list, and `rank_vlan_groups` serves it.
    Cost: O(n log n), about 3 µs a candidate.
    """
    if want.kind is AddressKind.vlan:
        return []
    listed = {_network(name): place for place, name in enumerate(want.prefixes)}
    units = 1 << max(_UNIT[want.kind] - want.prefix_length, 0)
    ranked = []
    for facts in candidates:
        network = _network(facts.network)
        place = listed.get(network)
        if (
            network.version != _VERSION[want.kind]
            or network.prefixlen > want.prefix_length
            or not facts.auto_allocatable
            or facts.free < units
            or not _is_at(facts, datacentre, rack)
            or not _has_purpose(facts, want, listed=place is not None)
            or (place is None and want.prefixes_required)
        ):
            continue
        order = len(listed) if place is None else place
        ranked.append((order, _distance(facts), facts.free, int(network.network_address), facts))
    ranked.sort(key=lambda entry: entry[:4])
    return [facts for *_, facts in ranked]


def rank_vlan_groups(
    candidates: Sequence[VlanGroupFacts],
    *,
    datacentre: str | None,
    rack: str | None,
    group: UUID | None = None,
) -> list[VlanGroupFacts]:
    """Return the VLAN groups that may serve a machine at that place, the best first.

    `group` is the group of the prefix that the machine's address is from, where it
    has one: then no other will do, because the address is routed there. Order:
    groups of the rack, of the datacentre, then others; those over which processes do not
    contend, since one id is as good as another; the fullest; by name.
    """
    fitting = [
        facts
        for facts in candidates
        if facts.auto_allocatable
        and facts.free > 0
        and _is_at(facts, datacentre, rack)
        and group in {None, facts.id}
    ]
    return sorted(
        fitting, key=lambda facts: (_distance(facts), facts.contended, facts.free, facts.name)
    )


@lru_cache(maxsize=8_192)
def _network(text: str) -> IPv4Network | IPv6Network:
    return ip_network(text)


def _is_at(facts: PrefixFacts | VlanGroupFacts, datacentre: str | None, rack: str | None) -> bool:
    return facts.datacentre in {None, datacentre} and facts.rack in {None, rack}


def _distance(facts: PrefixFacts | VlanGroupFacts) -> int:
    """Return 0 for what is of a rack, 1 for a whole datacentre, 2 for everywhere."""
    if facts.rack is not None:
        return 0
    return 1 if facts.datacentre is not None else 2


def _has_purpose(facts: PrefixFacts, want: AddressWant, *, listed: bool) -> bool:
    return facts.purpose == want.purpose or (listed and want.purpose is None)
