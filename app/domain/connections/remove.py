"""Remove a connection that no flow calls."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.audit.record import record
from app.domain.connections.errors import ConnectionInUse
from app.domain.connections.find import uses_of


async def remove_connection(
    tx: Tx, connection: UUID, *, actor: UUID | None, actor_label: str
) -> None:
    """Delete it and its secrets. Raises ConnectionInUse, NotFound."""
    row = await tx.fetchrow(
        "SELECT name, kind FROM connection WHERE id = $1 FOR UPDATE", connection
    )
    if row is None:
        raise NotFound("connection", connection)
    if uses := await uses_of(tx, row["name"]):
        raise ConnectionInUse(row["name"], tuple(dict.fromkeys(use.flow_name for use in uses)))
    await tx.execute("DELETE FROM connection WHERE id = $1", connection)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="connection.removed",
        subject_kind="connection",
        subject=connection,
        before={"name": row["name"], "kind": row["kind"]},
        after={},
    )
    tx.publish("connections")
