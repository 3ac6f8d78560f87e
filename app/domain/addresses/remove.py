"""Take a prefix, a VRF or a VLAN group off the books."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.addresses.errors import CannotDivide, StillUsed
from app.domain.addresses.find import find_vlan_group, find_vrf
from app.domain.addresses.index import INDEX
from app.domain.addresses.structure import change_tree
from app.domain.audit.record import record

_STANDING = """
SELECT p.network,
    (SELECT count(*) FROM address_claim c WHERE c.kind IN ('ip4', 'ip6net') AND c.scope = p.id
        AND (c.state <> 'reserved' OR c.reason <> '' OR c.holder IS NOT NULL)) AS claims,
    (SELECT count(*) FROM address_reservation r WHERE r.prefix = p.id) AS reservations,
    (SELECT count(*) FROM reverse_name n JOIN address_claim c ON c.id = n.claim
        WHERE c.scope = p.id) AS names,
    (SELECT count(*) FROM prefix o WHERE p.status = 'container' AND o.network << p.network
        AND o.vrf IS NOT DISTINCT FROM p.vrf) AS parts
FROM prefix p WHERE p.id = $1
"""


async def remove_prefix(tx: Tx, prefix: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Remove an empty prefix; the history of its addresses stays.

    Raises NotFound, and CannotDivide while anything is claimed (what cools down too) or kept in
    it, or it contains others.
    """
    await change_tree(tx)
    row = await tx.fetchrow(_STANDING, prefix)
    if row is None:
        raise NotFound("prefix", prefix)
    standing = [
        f"{row[name]} {name}" for name in ("claims", "reservations", "names", "parts") if row[name]
    ]
    if standing:
        why = f"it still has {', '.join(standing)}; release or remove these first"
        raise CannotDivide(str(row["network"]), why)
    await tx.execute(
        "DELETE FROM address_claim WHERE kind IN ('ip4', 'ip6net') AND scope = $1", prefix
    )
    await tx.execute("DELETE FROM prefix WHERE id = $1", prefix)
    INDEX.forget(prefix)
    tx.publish("addresses", f"prefix:{prefix}")
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.remove",
        subject_kind="prefix",
        subject=prefix,
        before={"network": str(row["network"])},
        after={},
    )


async def remove_vrf(tx: Tx, vrf: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Remove a VRF without prefixes; the history of its addresses stays.

    Raises NotFound, and StillUsed.
    """
    await change_tree(tx)
    view = await find_vrf(tx, vrf)
    if view.prefixes:
        raise StillUsed(f"The VRF {view.name}", [_counted(view.prefixes, "prefix", "prefixes")])
    await tx.execute("DELETE FROM vrf WHERE id = $1", vrf)
    tx.publish("addresses")
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.remove_vrf",
        subject_kind="vrf",
        subject=vrf,
        before={"name": view.name},
        after={},
    )


_USES = """
SELECT (SELECT count(*) FROM address_claim WHERE kind = 'vlan' AND scope = $1) AS claims,
    (SELECT count(*) FROM prefix WHERE vlan_group = $1) AS prefixes
"""


async def remove_vlan_group(tx: Tx, group: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Remove a VLAN group of which nothing is taken, and that no prefix is tied to.

    Raises NotFound, and StillUsed.
    """
    # Orders that claim an id keep the tree as it is until they have it.
    await change_tree(tx)
    view = await find_vlan_group(tx, group)
    [uses] = await tx.fetch(_USES, group)
    words = {
        "claims": ("id that is taken", "ids that are taken"),
        "prefixes": ("prefix", "prefixes"),
    }
    if by := [_counted(uses[name], *words[name]) for name in words if uses[name]]:
        raise StillUsed(f"The VLAN group {view.name}", by)
    await tx.execute("DELETE FROM vlan_group WHERE id = $1", group)
    INDEX.forget(group)
    tx.publish("addresses")
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="addresses.remove_vlan_group",
        subject_kind="vlan_group",
        subject=group,
        before={"name": view.name},
        after={},
    )


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
