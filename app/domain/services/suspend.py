"""Suspend a service, and let a suspended one run again.

The state says what the client has; the flow bound to the event makes it so.
"""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.inventory.power import judge_anew
from app.domain.services.facts import service_facts
from app.domain.services.states import ServiceState, move


async def suspend_service(
    tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Move an active service to `suspended`; again does nothing.

    Raises WrongServiceState for one that is not active, also for one that is gone.
    """
    if not await move(tx, service, ServiceState.suspended):
        return
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="service.suspended",
        subject_kind="service",
        subject=service,
        before={"state": ServiceState.active},
        after={"state": ServiceState.suspended},
        reason=reason,
    )
    await tx.execute("UPDATE service SET rescue_since = NULL WHERE id = $1", service)
    facts = await service_facts(tx, service, reason=reason)
    # Each time is an event of its own: a service may be suspended again.
    key = f"service.suspended:{service}:{new_id()}"
    await emit(tx, "service.suspended", key, msgspec.to_builtins(facts))
    if facts.server is not None:
        await judge_anew(tx, facts.server)


async def unsuspend_service(
    tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str, reason: str = ""
) -> None:
    """Move a suspended service to `active`; one that is active stays so.

    Raises WrongServiceState for one that is neither, also for one that is gone.
    """
    if not await move(tx, service, ServiceState.active, only_from=(ServiceState.suspended,)):
        return
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="service.unsuspended",
        subject_kind="service",
        subject=service,
        before={"state": ServiceState.suspended},
        after={"state": ServiceState.active},
        reason=reason,
    )
    facts = await service_facts(tx, service, reason=reason)
    key = f"service.unsuspended:{service}:{new_id()}"
    await emit(tx, "service.unsuspended", key, msgspec.to_builtins(facts))
    if facts.server is not None:
        await judge_anew(tx, facts.server)
