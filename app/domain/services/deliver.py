"""Make a service active: its server is running and its client has access."""

from datetime import datetime
from uuid import UUID

import msgspec
from dateutil.relativedelta import relativedelta

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.catalog.cycle import Cycle
from app.domain.services.facts import service_facts
from app.domain.services.states import ServiceState, move


async def deliver_service(tx: Tx, service: UUID, *, server: UUID | None) -> None:
    """Start the billing period and move the service to `active`; note its server, if it has one.

    Idempotent. The first time it is an event: the client has a new service.
    """
    before = await tx.fetchrow("SELECT cycle, activated_at FROM service WHERE id = $1", service)
    if before is None:
        raise NotFound("service", service)
    await tx.execute(
        "UPDATE service SET server = coalesce($2, server), "
        "activated_at = coalesce(activated_at, $3), "
        "next_due_at = coalesce(next_due_at, $4) WHERE id = $1",
        service,
        server,
        tx.now(),
        next_due(tx.now(), Cycle(before["cycle"])),
    )
    if await move(tx, service, ServiceState.active) and before["activated_at"] is None:
        facts = await service_facts(tx, service)
        key = f"service.created:{service}"
        await emit(tx, "service.created", key, msgspec.to_builtins(facts))


def next_due(start: datetime, cycle: Cycle) -> datetime:
    """Return the end of the period that begins at `start`; after 31 January comes 28 February."""
    return start + relativedelta(months=cycle.months)
