"""Change what a prefix or a VLAN group is for, and how it is given out."""

from typing import Any
from uuid import UUID

from msgspec import to_builtins
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.addresses.register import register_vlan_group
from app.domain.addresses.reserved import parse_network
from app.domain.addresses.seed import PrefixSeed, VlanGroupSeed
from app.domain.addresses.seeds import prefix_seed
from app.domain.addresses.structure import change_tree
from app.domain.addresses.write import write_prefix
from app.domain.audit.record import record


async def change_prefix(
    tx: Tx, prefix: UUID, wanted: PrefixSeed, *, actor: UUID | None, actor_label: str
) -> None:
    """Bring a prefix to what `wanted` says; its network and VRF stay.

    What an order has stays its own, whatever becomes of the prefix. Raises as `write_prefix`,
    and NotFound.
    """
    await change_tree(tx)
    before = await prefix_seed(tx, prefix)
    network = parse_network(wanted.network)
    if str(network) != before.network:
        raise Invalid(
            {"network": f"It stays {before.network}: split it, merge it, or add another."}
        )
    if wanted.vrf != before.vrf:
        raise Invalid({"vrf": "It stays. Remove the prefix, and add it in the other VRF."})
    await write_prefix(tx, prefix, wanted)
    await _record(
        tx,
        ("prefix", prefix),
        before,
        await prefix_seed(tx, prefix),
        actor=actor,
        actor_label=actor_label,
    )


async def change_vlan_group(
    tx: Tx, group: UUID, wanted: VlanGroupSeed, *, actor: UUID | None, actor_label: str
) -> None:
    """Bring a VLAN group to what `wanted` says; its name stays. Raises Invalid, NotFound."""
    row = await tx.fetchrow(
        "SELECT g.name, d.code AS datacentre, r.name AS rack, g.first_vid, g.last_vid, "
        "g.auto_allocatable FROM vlan_group g JOIN datacentre d ON d.id = g.datacentre "
        "LEFT JOIN rack r ON r.id = g.rack WHERE g.id = $1 FOR UPDATE OF g",
        group,
    )
    if row is None:
        raise NotFound("VLAN group", group)
    before, after = VlanGroupSeed(**dict(row)), replace(wanted, name=row["name"])
    await register_vlan_group(tx, after)
    tx.publish("addresses")
    await _record(tx, ("vlan_group", group), before, after, actor=actor, actor_label=actor_label)


async def _record(
    tx: Tx,
    subject: tuple[str, UUID],
    before: PrefixSeed | VlanGroupSeed,
    after: PrefixSeed | VlanGroupSeed,
    *,
    actor: UUID | None,
    actor_label: str,
) -> None:
    old: dict[str, Any] = to_builtins(before)
    new: dict[str, Any] = to_builtins(after)
    changed = [name for name in new if old[name] != new[name]]
    if changed:
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="addresses.change",
            subject_kind=subject[0],
            subject=subject[1],
            before={name: old[name] for name in changed},
            after={name: new[name] for name in changed},
        )
