"""End a service that was delivered."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.audit.record import record
from app.domain.services.facts import service_facts
from app.domain.services.states import ServiceState, move

DELIVERED = (ServiceState.active, ServiceState.suspended)


async def terminate_service(
    tx: Tx, service: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Move an active or suspended service to `terminated`; again does nothing.

    What it has is given back by the flow bound to the event. Raises NotFound, and
    WrongServiceState for one that is being delivered: cancel its order instead.
    """
    before: str | None = await tx.fetchval(
        "SELECT state FROM service WHERE id = $1 FOR NO KEY UPDATE", service
    )
    if before is None:
        raise NotFound("service", service)
    if not await move(tx, service, ServiceState.terminated, only_from=DELIVERED):
        return
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="service.terminated",
        subject_kind="service",
        subject=service,
        before={"state": before},
        after={"state": ServiceState.terminated},
        reason=reason,
    )
    facts = await service_facts(tx, service, reason=reason)
    key = f"service.terminated:{service}"
    await emit(tx, "service.terminated", key, msgspec.to_builtins(facts))
