"""Confirm that the order that holds a server goes on to use it."""

from uuid import UUID

from app.core.database import Tx
from app.domain.inventory.errors import NotHeld
from app.domain.inventory.states import SERVING, ServerState, move


async def begin_provisioning(tx: Tx, holder: UUID) -> None:
    """Make the hold of a paid order final: it no longer expires. Idempotent. Raises NotHeld."""
    server, state = await _held_by(tx, holder, ServerState.provisioning)
    if state is ServerState.held:
        await move(tx, server, ServerState.provisioning)


async def activate(tx: Tx, holder: UUID) -> None:
    """Say that the order's service runs on its server. Idempotent.

    Raises NotHeld without a server, ServerNotAllowed for one that is only held.
    """
    server, state = await _held_by(tx, holder, ServerState.active)
    if state is not ServerState.active:
        await move(tx, server, ServerState.active)


async def _held_by(tx: Tx, holder: UUID, wanted: ServerState) -> tuple[UUID, ServerState]:
    row = await tx.fetchrow(
        "SELECT id, state FROM server WHERE holder = $1 AND state = ANY($2) FOR NO KEY UPDATE",
        holder,
        list(SERVING),
    )
    if row is None:
        raise NotHeld(holder, wanted=wanted)
    return row["id"], ServerState(row["state"])
