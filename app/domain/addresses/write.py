"""Write one prefix down as it is to be, with the claims that keep back what nobody may have."""

import re
from collections.abc import Mapping
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.addresses.errors import CannotDivide, InUse, PrefixOverlaps
from app.domain.addresses.free import after_freeing, pool_appeared
from app.domain.addresses.index import INDEX
from app.domain.addresses.pools import kind_of
from app.domain.addresses.reserved import (
    Network,
    parse_gateway,
    parse_network,
    reserved_positions,
)
from app.domain.addresses.seed import PrefixSeed
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.text import position_text

_ZONE = re.compile(r"(?=.{1,253}$)([a-z0-9_/-]{1,63}\.)+[a-z0-9-]{1,63}")
"""Labels of a zone; a reverse zone smaller than a /24 has a slash in it (RFC 2317)."""


async def write_prefix(tx: Tx, known: UUID | None, prefix: PrefixSeed) -> UUID:
    """Write the prefix, new or `known`, and return its id; the tree is locked already.

    Its network and VRF are those of `known`. Raises Invalid (by field), PrefixOverlaps,
    CannotDivide when what becomes a container has claims, and InUse when an order has what is
    to be kept back. Orders that wait for addresses look again.
    """
    network = parse_network(prefix.network)
    before = await tx.fetchval("SELECT status FROM prefix WHERE id = $1", known)
    status = PrefixStatus(prefix.status or before or PrefixStatus.active)
    is_container = status is PrefixStatus.container
    gateway = parse_gateway(network, prefix.gateway)
    if is_container and (gateway is not None or prefix.reserved):
        name = "gateway" if gateway is not None else "reserved"
        raise Invalid({name: "A container has no addresses of its own; give it to a prefix in it."})
    vrf = await _named(tx, "vrf", "VRF", prefix.vrf or None)
    datacentre, rack = await find_place(tx, prefix.datacentre, prefix.rack)
    facts = {
        "vrf": vrf,
        "network": network,
        "status": status,
        "datacentre": datacentre,
        "rack": rack,
        "gateway": gateway,
        "purpose": prefix.purpose,
        "auto_allocatable": prefix.auto_allocatable,
        "strategy": prefix.strategy,
        "cooldown_s": prefix.cooldown_s,
        "note": prefix.note,
        "check_first": prefix.check_first,
        "vlan_group": await _named(tx, "vlan_group", "VLAN group", prefix.vlan_group),
        "vid": prefix.vid,
        "forward_zone": _zone("forward_zone", prefix.forward_zone),
        "reverse_zone": _zone("reverse_zone", prefix.reverse_zone),
    }
    if prefix.vid is not None and prefix.vlan_group is None:
        raise Invalid({"vlan_group": f"Choose the group that VLAN {prefix.vid} is of."})
    await _refuse_overlap(tx, network, vrf, is_container=is_container)
    if known is not None and is_container and before != PrefixStatus.container:
        await _refuse_to_contain(tx, known, network)
    written = known or new_id()
    columns = ", ".join(facts)
    marks = ", ".join(f"${n}" for n in range(2, len(facts) + 2))
    await tx.execute(
        f"INSERT INTO prefix (id, {columns}) VALUES ($1, {marks}) "
        f"ON CONFLICT (id) DO UPDATE SET ({columns}) = ({marks})",
        written,
        *facts.values(),
    )
    positions = {} if is_container else reserved_positions(network, gateway, prefix.reserved)
    await reserve(tx, written, network, positions)
    INDEX.doubt(written)
    await pool_appeared(tx, kind_of(network), written, tx.now().isoformat())
    tx.publish("addresses", f"prefix:{written}")
    return written


async def _refuse_overlap(
    tx: Tx, network: Network, vrf: UUID | None, *, is_container: bool
) -> None:
    """Raise PrefixOverlaps unless, of any two prefixes that overlap, the larger is a container."""
    others = await tx.fetch(
        "SELECT network FROM prefix WHERE vrf IS NOT DISTINCT FROM $1 "
        "AND (network << $2 AND NOT $3 OR network >> $2 AND status <> 'container') "
        "ORDER BY network",
        vrf,
        network,
        is_container,
    )
    if others:
        raise PrefixOverlaps(network, [row["network"] for row in others])


async def _refuse_to_contain(tx: Tx, prefix: UUID, network: Network) -> None:
    """Raise CannotDivide while a leaf has claims or reservations, which its parts would need."""
    standing = await tx.fetchval(
        "SELECT (SELECT count(*) FROM address_claim WHERE kind = $2 AND scope = $1 "
        "AND (state <> 'reserved' OR reason <> '' OR holder IS NOT NULL)) "
        "+ (SELECT count(*) FROM address_reservation WHERE prefix = $1)",
        prefix,
        kind_of(network),
    )
    if standing:
        why = f"it has {standing} claims or reservations; split it, and they move to its parts"
        raise CannotDivide(str(network), why)


async def _named(tx: Tx, table: str, thing: str, name: str | None) -> UUID | None:
    if name is None:
        return None
    found: UUID | None = await tx.fetchval(f"SELECT id FROM {table} WHERE name = $1", name)
    if found is None:
        raise Invalid({table: f"There is no {thing} {name}."})
    return found


def _zone(field: str, text: str) -> str:
    """Return a DNS zone as it is compared: in lower case, without its last dot. Raises Invalid."""
    zone = text.strip().rstrip(".").lower()
    if zone and _ZONE.fullmatch(zone) is None:
        raise Invalid({field: f"{text} is no DNS zone, such as example.net."})
    return zone


_NO_LONGER = (
    "kind = $1 AND scope = $2 AND state = 'reserved' AND holder IS NULL AND expires_at IS NULL "
    "AND reason = '' AND position <> ALL($3)"
)


async def reserve(tx: Tx, prefix: UUID, network: Network, reserved: Mapping[int, str]) -> None:
    """Make exactly these positions the reserved ones, among those that nobody asked for."""
    kind = kind_of(network)
    # What was kept back while it cooled down goes on with that: a name of it may still be known.
    await tx.execute(
        "UPDATE address_claim SET state = 'quarantined', seq = seq + 1, expires_at = $4 "
        f"WHERE {_NO_LONGER} AND id IN (SELECT claim FROM reverse_name)",
        kind,
        prefix,
        list(reserved),
        tx.now(),
    )
    freed = await tx.fetch(
        f"DELETE FROM address_claim WHERE {_NO_LONGER} RETURNING id, kind, scope, position",
        kind,
        prefix,
        list(reserved),
    )
    await after_freeing(tx, freed)
    rows = await tx.fetch(
        "INSERT INTO address_claim (kind, scope, position, state, purpose, seq, claimed_at) "
        "SELECT $1, $2, position, 'reserved', purpose, 1, $5 "
        "FROM unnest($3::bigint[], $4::text[]) AS c (position, purpose) ORDER BY position "
        "ON CONFLICT (kind, scope, position) DO UPDATE SET state = 'reserved', "
        "purpose = excluded.purpose, expires_at = NULL, seq = address_claim.seq + 1, reason = "
        "CASE address_claim.state WHEN 'reserved' THEN address_claim.reason ELSE '' END "
        "WHERE address_claim.state IN ('reserved', 'quarantined') RETURNING position",
        kind,
        prefix,
        list(reserved),
        list(reserved.values()),
        tx.now(),
    )
    in_use = sorted(set(reserved) - {row["position"] for row in rows})
    if in_use:
        raise InUse(network, [position_text(kind, network, position) for position in in_use[:10]])


async def keep_back(tx: Tx, prefix: UUID, network: Network) -> None:
    """Reserve what the protocol keeps in it; what staff keep stays, and old ends become free."""
    gateway = await tx.fetchval("SELECT gateway FROM prefix WHERE id = $1", prefix)
    kept = await tx.fetch(
        "SELECT position, purpose FROM address_claim WHERE kind = $2 AND scope = $1 "
        "AND state = 'reserved' AND reason = '' "
        "AND purpose NOT IN ('network', 'broadcast', 'gateway')",
        prefix,
        kind_of(network),
    )
    positions = {row["position"]: row["purpose"] for row in kept}
    await reserve(tx, prefix, network, positions | reserved_positions(network, gateway, ()))


async def find_place(tx: Tx, datacentre: str, rack: str | None) -> tuple[UUID, UUID | None]:
    """Return the ids of a datacentre and of a rack in it. Raises Invalid."""
    row = await tx.fetchrow(
        "SELECT d.id, r.id AS rack FROM datacentre d "
        "LEFT JOIN rack r ON r.datacentre = d.id AND r.name = $2 WHERE d.code = $1",
        datacentre,
        rack,
    )
    if row is None:
        raise Invalid({"datacentre": f"There is no datacentre {datacentre}."})
    if rack is not None and row["rack"] is None:
        raise Invalid({"rack": f"There is no rack {rack} in {datacentre}."})
    return row["id"], row["rack"]
