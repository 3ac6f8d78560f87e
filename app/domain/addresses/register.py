"""Write address space down: from a seed at set-up, from a form later.

Idempotent by network and by name: what is known is brought to exactly what the seed says.
What is not named stays as it is.
"""

from uuid import UUID

from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.addresses.free import pool_appeared
from app.domain.addresses.index import INDEX
from app.domain.addresses.reserved import parse_network
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed, VrfSeed
from app.domain.addresses.states import PrefixStatus
from app.domain.addresses.structure import change_tree
from app.domain.addresses.write import find_place, write_prefix
from app.ipam.wants import AddressKind


async def register_addresses(tx: Tx, seed: AddressSeed) -> dict[str, UUID]:
    """Write the whole seed; return ids by network and by the VLAN group's name."""
    for vrf in seed.vrfs:
        await register_vrf(tx, vrf)
    written = {group.name: await register_vlan_group(tx, group) for group in seed.vlan_groups}
    for prefix in seed.prefixes:
        written[prefix.network] = await register_prefix(tx, prefix)
    return written


async def register_vlan_group(tx: Tx, group: VlanGroupSeed) -> UUID:
    """Return the group's id; orders that wait for a VLAN look again. Raises Invalid.

    Claims on ids that the group no longer has stay until they are released.
    """
    datacentre, rack = await check_vlan_group(tx, group)
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


async def check_vlan_group(tx: Tx, group: VlanGroupSeed) -> tuple[UUID, UUID | None]:
    """Return the ids of its datacentre and rack. Raises Invalid."""
    if group.first_vid > group.last_vid:
        raise Invalid({"last_vid": "The last id is lower than the first."})
    datacentre, rack = await find_place(tx, group.datacentre, group.rack)
    elsewhere = await tx.fetchval(
        "SELECT string_agg(p.network::text, ', ' ORDER BY p.network) FROM prefix p "
        "JOIN vlan_group g ON g.id = p.vlan_group WHERE g.name = $1 "
        "AND (p.datacentre <> $2 OR p.rack <> $3)",
        group.name,
        datacentre,
        rack,
    )
    if elsewhere:
        raise Invalid({"rack": f"On its VLANs are {elsewhere}, which are of another place."})
    return datacentre, rack


async def register_vrf(tx: Tx, vrf: VrfSeed) -> UUID:
    """Return the VRF's id."""
    written: UUID = await tx.fetchval(
        "INSERT INTO vrf (id, name, note) VALUES ($1, $2, $3) "
        "ON CONFLICT (name) DO UPDATE SET note = excluded.note RETURNING id",
        new_id(),
        vrf.name,
        vrf.note,
    )
    return written


async def register_prefix(tx: Tx, prefix: PrefixSeed) -> UUID:
    """Return the prefix's id; its network, broadcast, gateway and ranges become claims.

    Of what has become a container since, by a split, gateway and ranges are its parts'.
    Orders that wait for addresses look again. Raises as `write_prefix`.
    """
    await change_tree(tx)
    network = parse_network(prefix.network)
    known = await tx.fetchrow(
        "SELECT p.id, p.status FROM prefix p LEFT JOIN vrf v ON v.id = p.vrf "
        "WHERE p.network = $1 AND coalesce(v.name, '') = $2",
        network,
        prefix.vrf,
    )
    if known is None:
        return await write_prefix(tx, None, prefix)
    if prefix.status is None and known["status"] == PrefixStatus.container:
        prefix = replace(prefix, gateway=None, reserved=())
    return await write_prefix(tx, known["id"], prefix)
