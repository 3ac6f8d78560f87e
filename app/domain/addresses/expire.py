"""End what was held, claimed by hand or cooling down for as long as it was to be."""

from app.core.database import Tx
from app.domain.addresses.free import after_freeing
from app.domain.addresses.pools import VLAN_COOLDOWN_S

BATCH = 2_000

_NAMELESS = "NOT EXISTS (SELECT FROM reverse_name n WHERE n.claim = address_claim.id)"
_DUE = f"""
SELECT id FROM address_claim WHERE expires_at <= $1 AND state <> 'assigned'
AND (state = 'reserved' OR {_NAMELESS})
ORDER BY expires_at, id LIMIT {BATCH} FOR UPDATE SKIP LOCKED
"""


async def expire(tx: Tx) -> int:
    """End claims whose hold, cool-down or time by hand is over; return how many.

    What was held is free, and what has cooled down too, unless its prefix keeps it back. What
    staff had claimed cools down first, as if they had released it. At most `BATCH` a call, the
    longest expired first. A claim that another transaction is changing is left for the next
    call; what is assigned never expires, and no address is free while the name server may have a
    PTR record of who had it.
    """
    due = [row["id"] for row in await tx.fetch(_DUE, tx.now())]
    if not due:
        return 0
    await tx.execute(
        "UPDATE address_claim c SET state = 'quarantined', client = NULL, seq = c.seq + 1, "
        "reason = 'its time was over: ' || c.reason, "
        "expires_at = $2::timestamptz + make_interval(secs => coalesce("
        "(SELECT p.cooldown_s FROM prefix p WHERE p.id = c.scope), $3)) "
        "WHERE id = ANY($1) AND state = 'reserved'",
        due,
        tx.now(),
        VLAN_COOLDOWN_S,
    )
    await tx.execute(
        "UPDATE address_claim SET state = 'reserved', purpose = kept_back, kept_back = '', "
        "item = '', reason = '', expires_at = NULL, seq = seq + 1 "
        "WHERE id = ANY($1) AND state = 'quarantined' AND kept_back <> '' AND expires_at <= $2 "
        f"AND {_NAMELESS}",
        due,
        tx.now(),
    )
    freed = await tx.fetch(
        f"DELETE FROM address_claim WHERE id = ANY($1) AND expires_at <= $2 AND {_NAMELESS} "
        "RETURNING id, kind, scope, position, holder",
        due,
        tx.now(),
    )
    await after_freeing(tx, freed)
    tx.publish("addresses")
    tx.publish(*{f"order:{row['holder']}" for row in freed if row["holder"] is not None})
    return len(due)
