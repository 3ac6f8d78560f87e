"""Add a VRF, a VLAN group or a prefix by hand."""

from typing import Any
from uuid import UUID

from msgspec import to_builtins
from msgspec.structs import replace

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.addresses.errors import CannotDivide, PrefixOverlaps
from app.domain.addresses.register import register_vlan_group, register_vrf
from app.domain.addresses.reserved import parse_network
from app.domain.addresses.seed import PrefixSeed, VlanGroupSeed, VrfSeed
from app.domain.addresses.sheet import GLOBAL
from app.domain.addresses.structure import change_tree
from app.domain.addresses.tree import parts_in
from app.domain.addresses.write import write_prefix
from app.domain.audit.record import record
from app.ipam.gaps import lowest_free_network


async def add_prefix(tx: Tx, prefix: PrefixSeed, *, actor: UUID | None, actor_label: str) -> UUID:
    """Return the new prefix's id. Raises Invalid (by field), PrefixOverlaps and InUse."""
    await change_tree(tx)
    network = parse_network(prefix.network)
    if await tx.fetchval(
        "SELECT EXISTS (SELECT FROM prefix p LEFT JOIN vrf v ON v.id = p.vrf "
        "WHERE p.network = $1 AND coalesce(v.name, '') = $2)",
        network,
        prefix.vrf,
    ):
        raise PrefixOverlaps(network, [network])
    written = await write_prefix(tx, None, prefix)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.add",
        subject_kind="prefix",
        subject=written,
        before={},
        after=_said(prefix),
    )
    return written


def _said(prefix: PrefixSeed) -> dict[str, Any]:
    """Return what is otherwise than usual, and what has to be said of each."""
    facts: dict[str, Any] = to_builtins(prefix)
    usual = to_builtins(PrefixSeed(network="", datacentre=""))
    return {name: value for name, value in facts.items() if value != usual[name]}


async def add_next_prefix(
    tx: Tx,
    container: UUID,
    length: int,
    like: PrefixSeed,
    *,
    actor: UUID | None,
    actor_label: str,
) -> UUID:
    """Make a prefix of the lowest free network of `length` in a container; return its id.

    It has the settings of `like`. Raises NotFound, Invalid, and CannotDivide when it is no
    container or has no such network left.
    """
    await change_tree(tx)
    network, parts, is_container = await parts_in(tx, container)
    if not is_container:
        raise CannotDivide(str(network), "it is no container; split it instead")
    longest = 32 if network.version == 4 else 64
    if length > longest:
        raise Invalid({"length": f"{network} is given out in prefixes of at most /{longest}."})
    found = lowest_free_network(network, parts, length)
    if found is None:
        raise CannotDivide(str(network), f"no /{length} in it is free; ask for a smaller one")
    prefix = replace(like, network=str(found))
    return await add_prefix(tx, prefix, actor=actor, actor_label=actor_label)


async def add_vrf(tx: Tx, vrf: VrfSeed, *, actor: UUID | None, actor_label: str) -> UUID:
    """Return the new VRF's id. Raises Invalid."""
    await change_tree(tx)
    await _refuse_known_name(tx, "vrf", vrf.name)
    if vrf.name.strip().lower() in GLOBAL:
        raise Invalid({"name": "That stands for the one without a name; choose another."})
    written = await register_vrf(tx, vrf)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.add_vrf",
        subject_kind="vrf",
        subject=written,
        before={},
        after=to_builtins(vrf),
    )
    tx.publish("addresses")
    return written


async def add_vlan_group(
    tx: Tx, group: VlanGroupSeed, *, actor: UUID | None, actor_label: str
) -> UUID:
    """Return the new VLAN group's id. Raises Invalid."""
    await change_tree(tx)
    await _refuse_known_name(tx, "vlan_group", group.name)
    written = await register_vlan_group(tx, group)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.add_vlan_group",
        subject_kind="vlan_group",
        subject=written,
        before={},
        after=to_builtins(group),
    )
    tx.publish("addresses")
    return written


async def _refuse_known_name(tx: Tx, table: str, name: str) -> None:
    if not name.strip():
        raise Invalid({"name": "Give it a name."})
    if await tx.fetchval(f"SELECT EXISTS (SELECT FROM {table} WHERE name = $1)", name):
        raise Invalid({"name": f"There is one named {name} already."})
