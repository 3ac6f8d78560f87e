"""Write address space down: from a seed at set-up, from a form later.

Idempotent by network and by name: what is known is brought to exactly what the seed says.
What is not named stays as it is.
"""

from collections.abc import Mapping
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.addresses.errors import InUse, PrefixOverlaps
from app.domain.addresses.free import after_freeing, pool_appeared
from app.domain.addresses.index import INDEX
from app.domain.addresses.pools import kind_of
from app.domain.addresses.reserved import (
    Network,
    parse_gateway,
    parse_network,
    reserved_positions,
)
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.domain.addresses.structure import change_tree
from app.domain.addresses.text import position_text
from app.ipam.wants import AddressKind


async def register_addresses(tx: Tx, seed: AddressSeed) -> dict[str, UUID]:
    """Write the whole seed; return ids by network and by the VLAN group's name."""
    written = {group.name: await register_vlan_group(tx, group) for group in seed.vlan_groups}
    for prefix in seed.prefixes:
        written[prefix.network] = await register_prefix(tx, prefix)
    return written


async def register_vlan_group(tx: Tx, group: VlanGroupSeed) -> UUID:
    """Return the group's id; orders that wait for a VLAN look again. Raises Invalid.

    Claims on ids that the group no longer has stay until they are released.
    """
    if group.first_vid > group.last_vid:
        raise Invalid({"last_vid": "The last id is lower than the first."})
    datacentre, rack = await _place(tx, group.datacentre, group.rack)
    written: UUID = await tx.fetchval(
        "INSERT INTO vlan_group (id, name, datacentre, rack, first_vid, last_vid, "
        "auto_allocatable) VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET "
        "datacentre = excluded.datacentre, rack = excluded.rack, first_vid = excluded.first_vid, "
        "last_vid = excluded.last_vid, auto_allocatable = excluded.auto_allocatable RETURNING id",
        new_id(),
        group.name,
        datacentre,
        rack,
        group.first_vid,
        group.last_vid,
        group.auto_allocatable,
    )
    INDEX.doubt(written)
    await pool_appeared(tx, AddressKind.vlan, written, tx.now().isoformat())
    return written


async def register_prefix(tx: Tx, prefix: PrefixSeed) -> UUID:
    """Return the prefix's id; its network, broadcast, gateway and ranges become claims.

    Orders that wait for addresses look again. Raises Invalid (by field), PrefixOverlaps, and
    InUse when an order has what is to be reserved.
    """
    network = parse_network(prefix.network)
    gateway = parse_gateway(network, prefix.gateway)
    reserved = reserved_positions(network, gateway, prefix.reserved)
    datacentre, rack = await _place(tx, prefix.datacentre, prefix.rack)
    # Two prefixes that are written down at the same time must see each other.
    await change_tree(tx)
    others = await tx.fetch(
        "SELECT network FROM prefix WHERE vrf IS NULL AND network && $1 AND network <> $1 "
        "AND NOT (status = 'container' AND network >> $1) ORDER BY network",
        network,
    )
    if others:
        raise PrefixOverlaps(network, [row["network"] for row in others])
    written: UUID = await tx.fetchval(
        "INSERT INTO prefix (id, network, datacentre, rack, gateway, purpose, auto_allocatable, "
        "strategy, cooldown_s, note, check_first) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
        "ON CONFLICT (vrf, network) DO UPDATE SET datacentre = excluded.datacentre, "
        "rack = excluded.rack, gateway = excluded.gateway, purpose = excluded.purpose, "
        "auto_allocatable = excluded.auto_allocatable, strategy = excluded.strategy, "
        "cooldown_s = excluded.cooldown_s, note = excluded.note, "
        "check_first = excluded.check_first RETURNING id",
        new_id(),
        network,
        datacentre,
        rack,
        gateway,
        prefix.purpose,
        prefix.auto_allocatable,
        prefix.strategy,
        prefix.cooldown_s,
        prefix.note,
        prefix.check_first,
    )
    await reserve(tx, written, network, reserved)
    INDEX.doubt(written)
    await pool_appeared(tx, kind_of(network), written, tx.now().isoformat())
    return written


async def reserve(tx: Tx, prefix: UUID, network: Network, reserved: Mapping[int, str]) -> None:
    """Make exactly these positions the reserved ones, among those that nobody asked for."""
    kind = kind_of(network)
    freed = await tx.fetch(
        "DELETE FROM address_claim WHERE kind = $1 AND scope = $2 AND state = 'reserved' "
        "AND holder IS NULL AND expires_at IS NULL AND reason = '' AND position <> ALL($3) "
        "RETURNING id, kind, scope, position",
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
        "purpose = excluded.purpose, expires_at = NULL, seq = address_claim.seq + 1 "
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


async def _place(tx: Tx, datacentre: str, rack: str | None) -> tuple[UUID, UUID | None]:
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
