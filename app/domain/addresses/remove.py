"""Take a prefix off the books."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.addresses.errors import CannotDivide
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
