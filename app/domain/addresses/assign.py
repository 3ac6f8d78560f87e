"""Make the addresses of a paid order its own."""

from uuid import UUID

from app.core.database import Tx


async def assign(tx: Tx, holder: UUID) -> int:
    """Turn what the order holds into what it has, without expiry; return how many rows that was.

    Idempotent: nothing happens to what is assigned already, or when nothing is held.
    """
    rows = await tx.fetch(
        "UPDATE address_claim SET state = 'assigned', expires_at = NULL, seq = seq + 1 "
        "WHERE holder = $1 AND state = 'held' RETURNING id",
        holder,
    )
    if rows:
        tx.publish(f"order:{holder}", "addresses")
    return len(rows)
