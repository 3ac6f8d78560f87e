"""Give an order's addresses back."""

from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.free import after_freeing
from app.domain.addresses.pools import VLAN_COOLDOWN_S


async def release(tx: Tx, holder: UUID) -> None:
    """End all claims of the order; nothing happens when it has none. Idempotent.

    What was only held is free at once. What was assigned belongs to nobody until the
    cool-down of its prefix ends (`expire`): caches and block lists still know the client.
    """
    freed = await tx.fetch(
        "DELETE FROM address_claim WHERE holder = $1 AND state = 'held' "
        "RETURNING id, kind, scope, position",
        holder,
    )
    quarantined = await tx.fetch(
        "UPDATE address_claim c SET state = 'quarantined', holder = NULL, client = NULL, "
        "seq = c.seq + 1, expires_at = $2::timestamptz + make_interval(secs => coalesce("
        "(SELECT p.cooldown_s FROM prefix p WHERE p.id = c.scope), $3)) "
        "WHERE holder = $1 AND state = 'assigned' RETURNING id",
        holder,
        tx.now(),
        VLAN_COOLDOWN_S,
    )
    await after_freeing(tx, freed)
    if freed or quarantined:
        tx.publish(f"order:{holder}", "addresses")
