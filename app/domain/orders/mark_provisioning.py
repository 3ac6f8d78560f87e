"""Mark an order as being delivered: its flow is at work."""

from uuid import UUID

from app.core.database import Tx
from app.domain.orders.lock import lock_order
from app.domain.orders.states import OrderState, move, tell


async def mark_provisioning(tx: Tx, order: UUID) -> None:
    """Move a paid order, or a failed one that is tried again, to provisioning.

    To be called first in every transaction in which a flow takes something for the order:
    it locks the order, and refuses (OrderNotAllowed) one that was cancelled meanwhile. One
    that is in provisioning already stays so, and what it waited for is no longer said.
    """
    locked = await lock_order(tx, order)
    if locked.state is not OrderState.provisioning:
        await move(tx, order, OrderState.provisioning)
    elif locked.state_reason:
        await tx.execute("UPDATE client_order SET state_reason = '' WHERE id = $1", order)
        tell(tx, order, locked.account)
