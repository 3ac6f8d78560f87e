"""Take a server out of stock while a technician works on it, and put it back afterwards."""

from datetime import datetime
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid, NotFound
from app.domain.audit.record import record
from app.domain.inventory.burn_in_states import require_no_burn_in
from app.domain.inventory.errors import ServerNotAllowed
from app.domain.inventory.put_back import put_back
from app.domain.inventory.states import TRANSITIONS, ServerState, move

BATCH = 100
OPEN_TO_MAINTENANCE = frozenset(
    state
    for state, ways in TRANSITIONS.items()
    # What waits to be erased is not mixed up with what waits to be mended.
    if ServerState.maintenance in ways and state is not ServerState.cleaning
)


async def begin_maintenance(
    tx: Tx,
    server: UUID,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str,
    ends_at: datetime | None = None,
) -> None:
    """Move a server that nobody has to maintenance, and audit it.

    `reason` is shown beside its state. With `ends_at` it ends by itself (`end_due_maintenance`),
    otherwise when somebody says so. Raises ServerNotAllowed for one that an order has, and for
    one in cleaning, BurnInUnderWay, Invalid on `ends` for an end in the past, NotFound.
    """
    if ends_at is not None and ends_at <= tx.now():
        raise Invalid({"ends": "That has passed. Choose a later end, or none."})
    row = await tx.fetchrow(
        "SELECT state, state_reason FROM server WHERE id = $1 FOR NO KEY UPDATE", server
    )
    if row is None:
        raise NotFound("server", server)
    await require_no_burn_in(tx, server)
    if row["state"] not in OPEN_TO_MAINTENANCE:
        raise ServerNotAllowed(server, state=row["state"], wanted=ServerState.maintenance)
    await move(tx, server, ServerState.maintenance, reason=reason)
    await tx.execute("UPDATE server SET maintenance_ends_at = $2 WHERE id = $1", server, ends_at)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.begin_maintenance",
        subject_kind="server",
        subject=server,
        before={"state": row["state"], "reason": row["state_reason"]},
        after={"state": ServerState.maintenance, "ends_at": ends_at},
        reason=reason,
    )


async def end_maintenance(
    tx: Tx, server: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Put a server in maintenance back into stock, or to cleaning if it may hold a client's data.

    Raises ServerNotAllowed, NotFound.
    """
    await put_back(
        tx,
        server,
        ServerState.maintenance,
        action="inventory.end_maintenance",
        actor=actor,
        actor_label=actor_label,
        reason=reason,
    )


async def end_due_maintenance(tx: Tx) -> list[UUID]:
    """End what was to end by now, at most `BATCH` a call; return the servers."""
    rows = await tx.fetch(
        "SELECT id FROM server WHERE maintenance_ends_at <= $1 "
        f"ORDER BY maintenance_ends_at, id LIMIT {BATCH} FOR NO KEY UPDATE SKIP LOCKED",
        tx.now(),
    )
    for row in rows:
        await end_maintenance(
            tx, row["id"], actor=None, actor_label="system", reason="Its end was reached."
        )
    return [row["id"] for row in rows]
