"""Take a server off the books: one that was written down wrongly, or that never came to work."""

from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.audit.record import record
from app.domain.inventory.burn_in_states import require_no_burn_in
from app.domain.inventory.errors import ServerHasServed, ServerNotAllowed
from app.domain.inventory.states import ServerState, tell

REMOVABLE = frozenset(
    {
        ServerState.enrolled,
        ServerState.inspecting,
        ServerState.available,
        ServerState.failed,
        ServerState.quarantined,
        ServerState.maintenance,
    }
)
"""Nobody has it, and no client's data waits to be erased."""

REFERRED_TO = (asyncpg.RestrictViolationError, asyncpg.ForeignKeyViolationError)
"""The first since PostgreSQL 18, the second before."""
_PARTS = (
    "DELETE FROM cable USING port WHERE port.server = $1 AND port.id IN (a_port, b_port)",
    "DELETE FROM port WHERE server = $1",
    "DELETE FROM rack_move WHERE server = $1",
    "DELETE FROM hardware_report WHERE server = $1",
    "DELETE FROM installation WHERE server = $1 AND purpose = 'burn-in'",
    "DELETE FROM burn_in WHERE server = $1",
    "DELETE FROM disk WHERE server = $1",
    "DELETE FROM bmc WHERE server = $1",
    "DELETE FROM metal_errand WHERE server = $1",
    "DELETE FROM metal_node WHERE server = $1",
    "DELETE FROM server WHERE id = $1",
)


async def remove_server(
    tx: Tx, server: UUID, *, reason: str, actor: UUID | None, actor_label: str
) -> None:
    """Remove a server with its disks, ports, cables and BMC; the audit trail keeps that it was.

    However far it came: a BMC that never answered is no obstacle. Raises NotFound,
    BurnInUnderWay, ServerNotAllowed while an order has it or its disks are to be erased, and
    ServerHasServed
    where services and installations refer to it.
    """
    row = await tx.fetchrow(
        "SELECT s.name, s.model, s.state, r.name AS rack, s.u_position FROM server s "
        "LEFT JOIN rack r ON r.id = s.rack WHERE s.id = $1 FOR UPDATE OF s",
        server,
    )
    if row is None:
        raise NotFound("server", server)
    await require_no_burn_in(tx, server)
    if row["state"] not in REMOVABLE:
        raise ServerNotAllowed(server, state=row["state"], wanted="removed")
    try:
        async with tx.savepoint():
            for statement in _PARTS:
                await tx.execute(statement, server)
    except REFERRED_TO as error:
        raise ServerHasServed(row["name"]) from error
    tell(tx, server, None)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.remove",
        subject_kind="server",
        subject=server,
        before={name: row[name] for name in ("name", "model", "state", "rack", "u_position")},
        after={},
        reason=reason,
    )
