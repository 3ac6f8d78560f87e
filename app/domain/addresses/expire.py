"""Free what was held or kept back too long."""

from app.core.database import Tx
from app.domain.addresses.free import after_freeing

BATCH = 2_000


async def expire(tx: Tx) -> int:
    """Free claims whose hold, cool-down or reservation has ended; return how many.

    At most `BATCH` a call, the longest expired first. A claim that another transaction is
    changing is left for the next call; what is assigned never expires, and no address is free
    while the name server may have a PTR record of who had it.
    """
    freed = await tx.fetch(
        "DELETE FROM address_claim WHERE id IN (SELECT id FROM address_claim "
        "WHERE expires_at <= $1 AND state <> 'assigned' "
        "AND NOT EXISTS (SELECT FROM reverse_name n WHERE n.claim = address_claim.id) "
        "ORDER BY expires_at, id "
        f"LIMIT {BATCH} FOR UPDATE SKIP LOCKED) RETURNING id, kind, scope, position, holder",
        tx.now(),
    )
    await after_freeing(tx, freed)
    if freed:
        tx.publish("addresses")
    tx.publish(*{f"order:{row['holder']}" for row in freed if row["holder"] is not None})
    return len(freed)
