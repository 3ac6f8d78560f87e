"""Take an order for oneself until the transaction ends.

Everything that changes an order and what hangs on it takes its locks in one sequence, so
that no two transactions wait for each other: order, invoice, payment, account (for its
credit), server, addresses. A batch takes orders by SKIP LOCKED.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.orders.states import OrderState


class LockedOrder(msgspec.Struct, frozen=True, kw_only=True):
    """The facts that verbs decide by; they hold until the commit."""

    id: UUID
    number: int
    account: UUID
    product: UUID
    state: OrderState
    state_reason: str
    hostname: str
    hold_expires_at: datetime | None


async def lock_order(tx: Tx, order: UUID, *, account: UUID | None = None) -> LockedOrder:
    """Return the order, locked; with `account`, only if it is that client's. Raises NotFound.

    NO KEY UPDATE: rows that merely refer to the order can be written meanwhile.
    """
    row = await tx.fetchrow(
        "SELECT id, number, account, product, state, state_reason, hostname, hold_expires_at "
        "FROM client_order WHERE id = $1 AND ($2::uuid IS NULL OR account = $2) "
        "FOR NO KEY UPDATE",
        order,
        account,
    )
    if row is None:
        raise NotFound("order", order)
    return msgspec.convert(dict(row), LockedOrder)
