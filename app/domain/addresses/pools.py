"""The prefixes and VLAN groups of a datacentre, as the choice of addresses reads them."""

from collections.abc import Collection
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.ipam.choice import Strategy
from app.ipam.prefixes import subnet_count
from app.ipam.wants import AddressKind

GENERAL = "primary"
"""The purpose of a prefix that serves whoever states none."""

VLAN_IDS = 4096


class KeptSpan(NamedTuple):
    """First and last position of what is kept, and for which client; None for a purpose."""

    first: int
    last: int
    client: UUID | None


class Pool(msgspec.Struct, frozen=True, kw_only=True):
    """A prefix or a VLAN group: a space of positions from which claims are made."""

    id: UUID
    kind: AddressKind
    name: str
    """The network as text, or the group's name."""
    datacentre: str
    rack: str | None
    purpose: str | None
    """None is `GENERAL`."""
    auto_allocatable: bool
    strategy: Strategy
    cooldown_s: int
    first: int = 0
    """Lowest position; of a VLAN group its first id."""
    size: int
    """How many positions are counted from 0, those below `first` included."""
    network: IPv4Network | IPv6Network | None = None
    """None of a VLAN group."""
    gateway: IPv4Address | IPv6Address | None = None

    vlan_group: UUID | None = None
    """The group that its VLAN is of, where it is tied to one."""
    vid: int | None = None
    """The VLAN that all its addresses are in; None where each order has its own."""
    kept: tuple[KeptSpan, ...] = ()
    """What is kept of it now, for a client or a purpose."""

    def is_at(self, datacentre: str, rack: str | None) -> bool:
        """Return whether a machine that stands there may use it."""
        return self.datacentre == datacentre and self.rack in {None, rack}


_PREFIXES = f"""
SELECT p.id, p.network, d.code AS datacentre, coalesce(r.name, q.name) AS rack, p.purpose,
       p.auto_allocatable,
       p.strategy, p.cooldown_s, p.gateway, p.vlan_group, p.vid, k.firsts, k.lasts, k.clients
FROM prefix p JOIN datacentre d ON d.id = p.datacentre LEFT JOIN rack r ON r.id = p.rack
LEFT JOIN vlan_group g ON g.id = p.vlan_group LEFT JOIN rack q ON q.id = g.rack
LEFT JOIN LATERAL (
    SELECT array_agg(v.first) AS firsts, array_agg(v.last) AS lasts, array_agg(v.client) AS clients
    FROM address_reservation v
    WHERE v.prefix = p.id AND (v.expires_at IS NULL OR v.expires_at > $2)) k ON true
WHERE d.code = $1 AND p.status = 'active'
      AND (p.vrf IS NULL OR coalesce(p.purpose, '{GENERAL}') <> '{GENERAL}')
"""
"""A prefix of a VRF serves only who states its purpose: its addresses mean nothing outside. One
on VLANs of a rack serves that rack alone: they are not on the switches of the others."""

_GROUPS = """
SELECT g.id, g.name, d.code AS datacentre, r.name AS rack, g.auto_allocatable, g.first_vid,
       g.last_vid
FROM vlan_group g JOIN datacentre d ON d.id = g.datacentre LEFT JOIN rack r ON r.id = g.rack
WHERE d.code = $1
"""

VLAN_COOLDOWN_S = 3600
"""A released VLAN id stays unused so long: switches and firewalls forget the last client."""


async def pools_of(tx: Tx, datacentre: str, kinds: Collection[AddressKind]) -> dict[UUID, Pool]:
    """Return the pools of those kinds in a datacentre, by id. At most two statements."""
    pools: list[Pool] = []
    if {AddressKind.ip4, AddressKind.ip6net} & set(kinds):
        pools += map(prefix_pool, await tx.fetch(_PREFIXES, datacentre, tx.now()))
    if AddressKind.vlan in kinds:
        pools += map(_group, await tx.fetch(_GROUPS, datacentre))
    return {pool.id: pool for pool in pools if pool.kind in kinds}


def prefix_pool(row: asyncpg.Record) -> Pool:
    """Return a prefix as it is read, with what is kept of it."""
    network = row["network"]
    return Pool(
        id=row["id"],
        kind=kind_of(network),
        name=str(network),
        datacentre=row["datacentre"],
        rack=row["rack"],
        purpose=general(row["purpose"]),
        auto_allocatable=row["auto_allocatable"],
        strategy=Strategy(row["strategy"]),
        cooldown_s=row["cooldown_s"],
        size=size_of(network),
        network=network,
        gateway=row["gateway"],
        vlan_group=row["vlan_group"],
        vid=row["vid"],
        kept=tuple(map(KeptSpan, row["firsts"] or (), row["lasts"] or (), row["clients"] or ())),
    )


def _group(row: asyncpg.Record) -> Pool:
    return Pool(
        id=row["id"],
        kind=AddressKind.vlan,
        name=row["name"],
        datacentre=row["datacentre"],
        rack=row["rack"],
        purpose=None,
        auto_allocatable=row["auto_allocatable"],
        strategy=Strategy.sequential,
        cooldown_s=VLAN_COOLDOWN_S,
        first=row["first_vid"],
        size=row["last_vid"] + 1,
    )


def kind_of(network: IPv4Network | IPv6Network) -> AddressKind:
    return AddressKind.ip4 if network.version == 4 else AddressKind.ip6net


def size_of(network: IPv4Network | IPv6Network) -> int:
    """Return how many positions a prefix has: addresses, or /64s."""
    return subnet_count(network, 32 if network.version == 4 else 64)


def general(purpose: str | None) -> str | None:
    """Return a purpose as wants state it: none for the general one."""
    return None if purpose in {None, "", GENERAL} else purpose
