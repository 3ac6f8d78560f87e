"""Mark an order as delivered: the client has working access."""

from uuid import UUID

from app.core.database import Tx
from app.domain.orders.lock import lock_order
from app.domain.orders.states import OrderState, move


async def mark_delivered(tx: Tx, order: UUID) -> None:
    """Move an order from provisioning to delivered; again does nothing.

    Raises OrderNotAllowed for any other state.
    """
    locked = await lock_order(tx, order)
    if locked.state is OrderState.delivered:
        return
    await move(tx, order, OrderState.delivered)
    await tx.execute("UPDATE client_order SET delivered_at = $2 WHERE id = $1", order, tx.now())
