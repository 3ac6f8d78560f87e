"""The states of an order, and the only way from one to another."""

from enum import StrEnum
from uuid import UUID

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.orders.errors import OrderNotAllowed


class OrderState(StrEnum):
    """Where an order stands between wish and server."""

    cart = "cart"
    """Written down, nothing held yet. Seen only inside the transaction that places it."""

    held = "held"
    """Server, addresses and VLAN are held, there is no invoice yet. Also only in passing."""

    awaiting_payment = "awaiting_payment"
    """The invoice is open. What is held is given back at `hold_expires_at`; the order stays."""

    paid = "paid"
    """Paid in full; its flow starts, or waits for stock when the hold had expired."""

    provisioning = "provisioning"
    """Its flow is at work; `state_reason` tells when it waits for something."""

    delivered = "delivered"
    """The client has working access. The service lives on in its own states."""

    failed = "failed"
    """Its flow gave up and undid its steps. A person retries it or refunds the money."""

    cancelled = "cancelled"
    """Given up; whatever was paid is account credit."""


TRANSITIONS: dict[OrderState, frozenset[OrderState]] = {
    OrderState.cart: frozenset({OrderState.held, OrderState.cancelled}),
    OrderState.held: frozenset({OrderState.awaiting_payment, OrderState.cancelled}),
    OrderState.awaiting_payment: frozenset({OrderState.paid, OrderState.cancelled}),
    OrderState.paid: frozenset({OrderState.provisioning, OrderState.failed, OrderState.cancelled}),
    OrderState.provisioning: frozenset(
        {OrderState.delivered, OrderState.failed, OrderState.cancelled}
    ),
    OrderState.delivered: frozenset(),
    OrderState.failed: frozenset({OrderState.provisioning, OrderState.cancelled}),
    OrderState.cancelled: frozenset(),
}

UNPAID = frozenset({OrderState.cart, OrderState.held, OrderState.awaiting_payment})
"""Nothing was paid in full: giving up costs nobody anything."""

IN_FLIGHT = frozenset({OrderState.paid, OrderState.provisioning})
"""Paid, and the client waits."""


UNSERVED = "No enabled flow serves its category: bind or enable one, and it begins."
"""Why a paid order does not move."""


async def explain(tx: Tx, order: UUID, reason: str) -> None:
    """Set why a paid order does not move; its next move forgets it. Others are left as they are."""
    row = await tx.fetchrow(
        "UPDATE client_order SET state_reason = $2 "
        "WHERE id = $1 AND state = $3 AND state_reason <> $2 RETURNING account",
        order,
        reason,
        OrderState.paid,
    )
    if row is not None:
        tell(tx, order, row["account"])


async def move(tx: Tx, order: UUID, to: OrderState, *, reason: str = "") -> None:
    """Move an order to `to` and set why; one compare-and-swap, live topics follow the commit.

    Raises OrderNotAllowed when the table has no such way from where it is, NotFound.
    """
    came_from = [state for state, ways in TRANSITIONS.items() if to in ways]
    row = await tx.fetchrow(
        "UPDATE client_order SET state = $2, state_since = $3, state_reason = $4 "
        "WHERE id = $1 AND state = ANY($5) RETURNING account",
        order,
        to,
        tx.now(),
        reason,
        came_from,
    )
    if row is None:
        state = await tx.fetchval("SELECT state FROM client_order WHERE id = $1", order)
        if state is None:
            raise NotFound("order", order)
        raise OrderNotAllowed(order, state=state, wanted=to)
    tell(tx, order, row["account"])


def tell(tx: Tx, order: UUID, account: UUID) -> None:
    """Have the pages that show the order look again after the commit."""
    tx.publish(f"order:{order}", f"account:{account}", "orders", "dashboard")
