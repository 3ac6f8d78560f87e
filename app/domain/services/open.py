"""Open the service of a paid order, and end it when the order comes to nothing."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.domain.services.states import ServiceState, move


async def open_service(tx: Tx, order: UUID) -> UUID:
    """Return the order's service, in state `provisioning`; made once per order."""
    existing: UUID | None = await tx.fetchval('SELECT id FROM service WHERE "order" = $1', order)
    if existing is not None:
        return existing
    made: UUID | None = await tx.fetchval(
        'INSERT INTO service (id, account, "order", product, hostname, os_code, state, '
        "state_since, cycle, currency, recurring_minor, created_at) "
        "SELECT $1, account, id, product, hostname, coalesce(selection->>'os', ''), $3, $4, cycle, "
        "currency, recurring_minor, $4 FROM client_order WHERE id = $2 RETURNING id",
        new_id(),
        order,
        ServiceState.provisioning,
        tx.now(),
    )
    if made is None:
        raise NotFound("order", order)
    tx.publish(f"order:{order}", "dashboard")
    return made


async def end_undelivered(tx: Tx, order: UUID) -> None:
    """End the service of an order that was cancelled before delivery; without one, do nothing."""
    service: UUID | None = await tx.fetchval(
        """SELECT id FROM service WHERE "order" = $1 AND state IN ('pending', 'provisioning')""",
        order,
    )
    if service is not None:
        await move(tx, service, ServiceState.terminated)
