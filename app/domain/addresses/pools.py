"""The prefixes and VLAN groups of a datacentre, as the choice of addresses reads them."""

from ipaddress import IPv4Network, IPv6Network
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.ipam.choice import Strategy
from app.ipam.prefixes import subnet_count
from app.ipam.wants import AddressKind

GENERAL = "primary"
"""The purpose of a prefix that serves whoever states none."""

VLAN_IDS = 4096


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


_PREFIXES = """
SELECT p.id, p.network, d.code AS datacentre, r.name AS rack, p.purpose, p.auto_allocatable,
       p.strategy, p.cooldown_s
FROM prefix p JOIN datacentre d ON d.id = p.datacentre LEFT JOIN rack r ON r.id = p.rack
WHERE d.code = $1 AND p.status = 'active'
"""
_GROUPS = """
SELECT g.id, g.name, d.code AS datacentre, r.name AS rack, g.auto_allocatable, g.first_vid,
       g.last_vid
FROM vlan_group g JOIN datacentre d ON d.id = g.datacentre LEFT JOIN rack r ON r.id = g.rack
WHERE d.code = $1
"""

VLAN_COOLDOWN_S = 3600
"""A released VLAN id stays unused so long: switches and firewalls forget the last client."""


async def pools_at(tx: Tx, datacentre: str, rack: str | None) -> dict[UUID, Pool]:
    """Return the pools that a machine at that place may use, by id. Two statements."""
    prefixes = [
        Pool(
            id=row["id"],
            kind=kind_of(row["network"]),
            name=str(row["network"]),
            datacentre=row["datacentre"],
            rack=row["rack"],
            purpose=general(row["purpose"]),
            auto_allocatable=row["auto_allocatable"],
            strategy=Strategy(row["strategy"]),
            cooldown_s=row["cooldown_s"],
            size=size_of(row["network"]),
        )
        for row in await tx.fetch(_PREFIXES, datacentre)
    ]
    groups = [
        Pool(
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
        for row in await tx.fetch(_GROUPS, datacentre)
    ]
    return {pool.id: pool for pool in (*prefixes, *groups) if pool.rack in {None, rack}}


def kind_of(network: IPv4Network | IPv6Network) -> AddressKind:
    return AddressKind.ip4 if network.version == 4 else AddressKind.ip6net


def size_of(network: IPv4Network | IPv6Network) -> int:
    """Return how many positions a prefix has: addresses, or /64s."""
    return subnet_count(network, 32 if network.version == 4 else 64)


def general(purpose: str | None) -> str | None:
    """Return a purpose as wants state it: none for the general one."""
    return None if purpose in {None, "", GENERAL} else purpose
