"""Put a server back into stock on a person's word."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.audit.record import record
from app.domain.inventory.errors import ServerNotAllowed
from app.domain.inventory.states import ServerState, move


async def put_back(
    tx: Tx,
    server: UUID,
    came_from: ServerState,
    *,
    action: str,
    actor: UUID | None,
    actor_label: str,
    reason: str,
) -> None:
    """Move a server from `came_from`, and no other state, to available, and audit it as `action`.

    Raises ServerNotAllowed, NotFound.
    """
    row = await tx.fetchrow(
        "SELECT state, state_reason FROM server WHERE id = $1 FOR NO KEY UPDATE", server
    )
    if row is None:
        raise NotFound("server", server)
    if row["state"] != came_from:
        raise ServerNotAllowed(server, state=row["state"], wanted=ServerState.available)
    await move(tx, server, ServerState.available)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action=action,
        subject_kind="server",
        subject=server,
        before={"state": came_from, "reason": row["state_reason"]},
        after={"state": ServerState.available},
        reason=reason,
    )
