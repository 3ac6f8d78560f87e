"""Disable a flow in an emergency, and enable it again; runs under way go on."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Conflict, NotFound
from app.domain.audit.record import record


async def disable_flow(
    tx: Tx, flow: str, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Let no new run of the flow start: what should start one is refused and told to the staff.

    Raises NotFound, and Conflict when it is disabled already.
    """
    await _switch(tx, flow, on=False, actor=actor, actor_label=actor_label, reason=reason)


async def enable_flow(
    tx: Tx, flow: str, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """Let runs of the flow start again. Raises NotFound, and Conflict when they may already."""
    await _switch(tx, flow, on=True, actor=actor, actor_label=actor_label, reason=reason)


async def _switch(
    tx: Tx, flow: str, *, on: bool, actor: UUID | None, actor_label: str, reason: str
) -> None:
    found = await tx.fetchrow(
        "SELECT id, is_enabled FROM flow WHERE slug = $1 FOR NO KEY UPDATE", flow
    )
    if found is None:
        raise NotFound("flow", flow)
    if found["is_enabled"] is on:
        raise Conflict(f"The flow {flow} is {'enabled' if on else 'disabled'} already.")
    await tx.execute("UPDATE flow SET is_enabled = $2 WHERE id = $1", found["id"], on)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="flow.enabled" if on else "flow.disabled",
        subject_kind="flow",
        subject=found["id"],
        before={"is_enabled": not on},
        after={"is_enabled": on},
        reason=reason,
    )
    tx.publish("flows")
