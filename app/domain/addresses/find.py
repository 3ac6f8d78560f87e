"""Read claims and prefixes; one or two statements each."""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_interface
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.core.paging import containing
from app.domain.addresses.pools import size_of
from app.domain.addresses.states import TAKEN, PrefixStatus
from app.domain.addresses.views import (
    Claimed,
    Ip4,
    Ip6Net,
    PrefixView,
    VlanGroupView,
    VrfView,
)
from app.ipam.choice import Strategy
from app.ipam.wants import PRIMARY_IP4, AddressKind


class Row(NamedTuple):
    """One claim and what is known of its prefix; a VLAN id has none."""

    kind: str
    position: int
    item: str
    network: Any
    gateway: Any
    vid: int | None
    """The VLAN that the whole prefix is in, if it is in one."""


async def addresses_of(tx: Tx, holder: UUID) -> Claimed:
    """Return what the order holds or has, the primary first, extras by number; one statement."""
    rows = await tx.fetch(
        "SELECT c.kind, c.position, c.item, p.network, p.gateway, p.vid FROM address_claim c "
        "LEFT JOIN prefix p ON p.id = c.scope WHERE c.holder = $1 AND c.state = ANY($2)",
        holder,
        list(TAKEN),
    )
    return assemble(Row(*row) for row in rows)


def assemble(claims: Iterable[Row]) -> Claimed:
    """Return the claims of one order as a whole, the primary first, extras by number.

    Its VLAN is its own, else that of its primary address's prefix.
    """
    rows = sorted(claims, key=lambda row: row.position)
    vlans = [row.position for row in rows if row.kind == AddressKind.vlan]
    vlans += [row.vid for row in rows if row.item == PRIMARY_IP4 and row.vid is not None]
    return Claimed(
        ip4=tuple(sorted(map(_ip4, _only(rows, AddressKind.ip4)), key=lambda ip: _order(ip.item))),
        ip6=_networks(_only(rows, AddressKind.ip6net)),
        vlan=vlans[0] if vlans else None,
    )


async def datacentre_of(tx: Tx, holder: UUID) -> str:
    """Return the code of the datacentre whose primary address the order has; "" without one."""
    code: str | None = await tx.fetchval(
        "SELECT d.code FROM address_claim c JOIN prefix p ON p.id = c.scope "
        "JOIN datacentre d ON d.id = p.datacentre "
        "WHERE c.holder = $1 AND c.item = $2 AND c.state = ANY($3)",
        holder,
        PRIMARY_IP4,
        list(TAKEN),
    )
    return code or ""


async def addresses_fit(tx: Tx, holder: UUID, *, datacentre: str, rack: str) -> bool:
    """Return whether all that the order has may be used at that place; true if it has nothing.

    A pool may be used in its rack, or in its whole datacentre when it is of no rack; a prefix on
    VLANs of a rack is of that rack.
    """
    misfits = await tx.fetchval(
        "SELECT count(*) FROM address_claim c LEFT JOIN prefix p ON p.id = c.scope "
        "LEFT JOIN vlan_group g ON g.id = coalesce(p.vlan_group, c.scope) "
        "LEFT JOIN datacentre d ON d.id = coalesce(p.datacentre, g.datacentre) "
        "LEFT JOIN rack r ON r.id = coalesce(p.rack, g.rack) "
        "WHERE c.holder = $1 AND c.state = ANY($2) "
        "AND (d.code IS DISTINCT FROM $3 OR coalesce(r.name, $4) <> $4)",
        holder,
        list(TAKEN),
        datacentre,
        rack,
    )
    return bool(misfits == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class PrefixFilter:
    """Which prefixes are listed; what is left empty does not matter, all the rest has to hold."""

    vrf: str | None = None
    """A name, empty for the global one; None for all."""
    datacentre: str = ""
    family: int | None = None
    status: str = ""
    role: str = ""
    within: IPv4Network | IPv6Network | None = None
    """Only what lies in this network, itself left out."""
    contains: IPv4Network | IPv6Network | None = None
    """Only what this network, or address, lies in."""
    words: str = ""
    """A part of the network or of the note."""
    among: Collection[UUID] | None = None
    """Only some of these; None for all."""


_PREFIXES = """
SELECT p.id, p.network, coalesce(v.name, '') AS vrf, p.status, d.code AS datacentre,
       r.name AS rack, p.gateway, p.purpose, p.auto_allocatable, p.strategy, p.cooldown_s, p.note,
       g.name AS vlan_group, p.vid, p.forward_zone, p.reverse_zone, p.check_first,
       c.held, c.assigned, c.by_hand, c.reserved, c.quarantined, k.kept
FROM prefix p JOIN datacentre d ON d.id = p.datacentre LEFT JOIN rack r ON r.id = p.rack
LEFT JOIN vrf v ON v.id = p.vrf LEFT JOIN vlan_group g ON g.id = p.vlan_group
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE state = 'held') AS held,
           count(*) FILTER (WHERE state = 'assigned') AS assigned,
           count(*) FILTER (WHERE state = 'reserved' AND reason <> '') AS by_hand,
           count(*) FILTER (WHERE state = 'reserved' AND reason = '') AS reserved,
           count(*) FILTER (WHERE state = 'quarantined') AS quarantined
    FROM address_claim WHERE scope = p.id AND kind = CASE family(p.network)
        WHEN 4 THEN 'ip4' ELSE 'ip6net' END) c
CROSS JOIN LATERAL (
    SELECT coalesce(sum(r.last - r.first + 1 - (
        SELECT count(*) FROM address_claim o WHERE o.kind IN ('ip4', 'ip6net')
        AND o.scope = p.id AND o.position BETWEEN r.first AND r.last)), 0)::bigint AS kept
    FROM address_reservation r
    WHERE r.prefix = p.id AND (r.expires_at IS NULL OR r.expires_at > $1)) k
"""


async def list_prefixes(tx: Tx, *, datacentre: str = "") -> tuple[PrefixView, ...]:
    """Return all prefixes, or those of a datacentre, by network, with how full they are.

    Counts the claims: about 0.1 s for a million.
    """
    rows = await tx.fetch(
        f"{_PREFIXES} WHERE $2 = '' OR d.code = $2 "
        "ORDER BY v.name NULLS FIRST, family(p.network), p.network",
        tx.now(),
        datacentre,
    )
    return tuple(map(_prefix, rows))


async def find_prefix(tx: Tx, prefix_id: UUID) -> PrefixView:
    """Return one prefix with how full it is. Raises NotFound."""
    row = await tx.fetchrow(f"{_PREFIXES} WHERE p.id = $2", tx.now(), prefix_id)
    if row is None:
        raise NotFound("prefix", prefix_id)
    return _prefix(row)


async def list_prefixes_by_id(tx: Tx, prefixes: Collection[UUID]) -> dict[UUID, PrefixView]:
    """Return some prefixes with how full they are; one statement that counts their claims."""
    rows = await tx.fetch(f"{_PREFIXES} WHERE p.id = ANY($2)", tx.now(), list(prefixes))
    return {row["id"]: _prefix(row) for row in rows}


async def search_prefixes(
    tx: Tx, wanted: PrefixFilter, *, before: UUID | None, limit: int
) -> tuple[PrefixView, ...]:
    """Return the prefixes that `wanted` describes, the latest first, after `before`."""
    rows = await tx.fetch(
        f"{_PREFIXES} WHERE ($2::uuid IS NULL OR p.id < $2) "
        "AND ($3::text IS NULL OR coalesce(v.name, '') = $3) AND ($4 = '' OR d.code = $4) "
        "AND ($5::int IS NULL OR family(p.network) = $5) AND ($6 = '' OR p.status = $6) "
        "AND ($7 = '' OR p.purpose = $7) AND ($8::inet IS NULL OR p.network << $8) "
        "AND ($9::inet IS NULL OR p.network >>= $9) "
        "AND ($10 = '' OR p.network::text ILIKE $11 OR p.note ILIKE $11) "
        "AND ($12::uuid[] IS NULL OR p.id = ANY($12)) ORDER BY p.id DESC LIMIT $13",
        tx.now(),
        before,
        wanted.vrf,
        wanted.datacentre,
        wanted.family,
        wanted.status,
        wanted.role,
        wanted.within,
        wanted.contains,
        wanted.words,
        containing(wanted.words),
        wanted.among,
        limit,
    )
    return tuple(map(_prefix, rows))


async def leaf_of(tx: Tx, what: str, *, vrf: str = "") -> UUID:
    """Return the prefix that an address, a network or a range is given out of in a VRF.

    Raises Invalid on `address`.
    """
    first = what.partition("-")[0].strip()
    try:
        network = ip_interface(first).network
    except ValueError as error:
        raise Invalid({"address": f"{what} is no address, network or range."}) from error
    leaf: UUID | None = await tx.fetchval(
        "SELECT p.id FROM prefix p LEFT JOIN vrf v ON v.id = p.vrf WHERE p.network >>= $1::inet "
        "AND p.status <> 'container' AND coalesce(v.name, '') = $2",
        network,
        vrf,
    )
    if leaf is None:
        where = f" in VRF {vrf}" if vrf else ""
        raise Invalid(
            {"address": f"No prefix{where} that addresses are given out of holds {what}."}
        )
    return leaf


async def leaves_in(tx: Tx, prefix: UUID, length: int) -> tuple[UUID, ...]:
    """Return all leaves of the network of `length` around a prefix, in its VRF, by network.

    A `length` that is not shorter than its own finds nothing but itself.
    """
    rows = await tx.fetch(
        "SELECT p.id FROM prefix o JOIN prefix p ON p.network <<= "
        "network(set_masklen(o.network::inet, least($2, masklen(o.network)))) "
        "AND p.vrf IS NOT DISTINCT FROM o.vrf "
        "WHERE o.id = $1 AND p.status <> 'container' ORDER BY p.network",
        prefix,
        length,
    )
    return tuple(row["id"] for row in rows)


async def list_vrfs(tx: Tx) -> tuple[str, ...]:
    """Return the names of all VRFs beside the global one."""
    return tuple(row["name"] for row in await tx.fetch("SELECT name FROM vrf ORDER BY name"))


async def read_vrfs(tx: Tx) -> tuple[VrfView, ...]:
    """Return all VRFs beside the global one, by name."""
    rows = await tx.fetch(
        "SELECT v.id, v.name, v.note, count(p.id) AS prefixes FROM vrf v "
        "LEFT JOIN prefix p ON p.vrf = v.id GROUP BY v.id ORDER BY v.name"
    )
    return tuple(VrfView(**dict(row)) for row in rows)


async def find_vrf(tx: Tx, vrf: UUID) -> VrfView:
    """Return one VRF. Raises NotFound."""
    for view in await read_vrfs(tx):
        if view.id == vrf:
            return view
    raise NotFound("VRF", vrf)


async def find_vlan_group(tx: Tx, group: UUID) -> VlanGroupView:
    """Return one VLAN group with how full it is. Raises NotFound."""
    for view in await list_vlan_groups(tx):
        if view.id == group:
            return view
    raise NotFound("VLAN group", group)


async def list_vlan_groups(tx: Tx, *, datacentre: str = "") -> tuple[VlanGroupView, ...]:
    """Return all VLAN groups, or those of a datacentre, by name, with how full they are."""
    rows = await tx.fetch(
        "SELECT g.id, g.name, d.code AS datacentre, r.name AS rack, g.first_vid, g.last_vid, "
        "g.auto_allocatable, count(c.id) AS taken FROM vlan_group g "
        "JOIN datacentre d ON d.id = g.datacentre LEFT JOIN rack r ON r.id = g.rack "
        "LEFT JOIN address_claim c ON c.scope = g.id AND c.kind = 'vlan' "
        "AND c.position BETWEEN g.first_vid AND g.last_vid "
        "WHERE $1 = '' OR d.code = $1 GROUP BY g.id, d.code, r.name ORDER BY g.name",
        datacentre,
    )
    return tuple(VlanGroupView(**dict(row)) for row in rows)


def _prefix(row: asyncpg.Record) -> PrefixView:
    facts = dict(row)
    facts["status"] = PrefixStatus(facts["status"])
    facts["strategy"] = Strategy(facts["strategy"])
    return PrefixView(**facts, size=size_of(row["network"]))


def _only(rows: Iterable[Row], kind: AddressKind) -> list[Row]:
    return [row for row in rows if row.kind == kind]


def _ip4(row: Row) -> Ip4:
    network: IPv4Network = row.network
    address = network.network_address + row.position
    return Ip4(address, network.prefixlen, row.gateway, row.item)


def _networks(rows: Iterable[Row]) -> tuple[Ip6Net, ...]:
    """Put the networks together again: a /56 is 256 rows, `item` and `item+1` to `item+255`."""
    parts: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        parts[row.item.partition("+")[0]].append(row)
    return tuple(_ip6net(item, parts[item]) for item in sorted(parts, key=_order))


def _ip6net(item: str, rows: list[Row]) -> Ip6Net:
    """Return a network; its router is the first address, or the prefix's gateway if inside.

    The host is the first address after that.
    """
    prefix: IPv6Network = rows[0].network
    block = 64 - (len(rows).bit_length() - 1)
    first = prefix.network_address + (rows[0].position << 64)
    network = IPv6Network((first, block))
    gateway = rows[0].gateway
    if gateway is None or gateway not in network:
        gateway = first + 1
    return Ip6Net(network, gateway, first + (3 if gateway == first + 2 else 2), item)


@lru_cache(maxsize=1024)
def _order(item: str) -> tuple[bool, list[str | int]]:
    """Sort the primary item first, and extra 10 after extra 9."""
    parts: list[str | int] = [
        int(part) if part.isdigit() else part for part in re.split(r"(\d+)", item)
    ]
    return not item.endswith(":primary"), parts
