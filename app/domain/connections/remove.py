"""Remove a connection that no flow calls."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.audit.record import record
from app.domain.connections.errors import ConnectionHasMachines, ConnectionInUse
from app.domain.connections.find import uses_of
from app.domain.connections.grouping import require_others


async def remove_connection(
    tx: Tx, connection: UUID, *, actor: UUID | None, actor_label: str
) -> None:
    """Delete it and its secrets. Raises ConnectionInUse, ConnectionHasMachines, NotFound."""
    row = await tx.fetchrow(
        "SELECT name, kind, in_group FROM connection WHERE id = $1 FOR UPDATE", connection
    )
    if row is None:
        raise NotFound("connection", connection)
    if uses := await uses_of(tx, row["name"]):
        raise ConnectionInUse(row["name"], tuple(dict.fromkeys(use.flow_name for use in uses)))
    if kept := await _kept_by(tx, row["name"]):
        raise ConnectionHasMachines(row["name"], kept)
    await require_others(tx, connection, row["name"], row["in_group"])
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


async def _kept_by(tx: Tx, name: str) -> str:
    """Return what still needs it beside flows: machines, or products that are sold there."""
    machines: int = await tx.fetchval(
        "SELECT (SELECT count(*) FROM machine WHERE connection = $1 AND removed_at IS NULL) + "
        "(SELECT count(*) FROM game_server WHERE connection = $1 AND removed_at IS NULL)",
        name,
    )
    if machines:
        return f"machines of services are there ({machines})"
    rows = await tx.fetch(
        "SELECT p.name FROM product p, "
        "jsonb_array_elements(coalesce(p.machine_rules, p.game_rules)->'places') place "
        "WHERE place->>'connection' = $1 ORDER BY 1",
        name,
    )
    return f"machines of {', '.join(row['name'] for row in rows)} are made there" if rows else ""
