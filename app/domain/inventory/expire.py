"""End holds that nobody paid for in time."""

from uuid import UUID

from app.core.database import Tx
from app.domain.inventory.states import ServerState, move

BATCH = 500


async def expire_holds(tx: Tx) -> list[UUID]:
    """Put servers whose hold has expired back into stock; return the orders that held them.

    At most `BATCH` a call, the longest expired first. A server that another transaction is
    changing is left for the next call.
    """
    rows = await tx.fetch(
        "SELECT id, holder FROM server WHERE state = 'held' AND hold_expires_at <= $1 "
        f"ORDER BY hold_expires_at LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED",
        tx.now(),
    )
    for row in rows:
        await move(tx, row["id"], ServerState.available)
    return [row["holder"] for row in rows]
