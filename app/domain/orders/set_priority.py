"""Say which of the orders that wait for a server goes first."""

from uuid import UUID

from app.core.database import Tx
from app.domain.audit.record import record
from app.domain.orders.lock import lock_order
from app.domain.orders.states import tell

LOWEST, HIGHEST = -9, 9


async def set_priority(
    tx: Tx, order: UUID, priority: int, *, actor: UUID, actor_label: str, reason: str
) -> None:
    """Set the priority of an order, `LOWEST` to `HIGHEST`, 0 for usual; audited.

    It counts whenever the order waits for a server: no lower one is served at the cost of a
    higher one. Raises NotFound.
    """
    locked = await lock_order(tx, order)
    before = await tx.fetchval("SELECT priority FROM client_order WHERE id = $1", order)
    await tx.execute("UPDATE client_order SET priority = $2 WHERE id = $1", order, priority)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="order.priority_set",
        subject_kind="order",
        subject=order,
        before={"priority": before},
        after={"priority": priority},
        reason=reason,
    )
    tell(tx, order, locked.account)
    tx.publish("backlog")
