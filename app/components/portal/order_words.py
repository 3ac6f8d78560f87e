"""What a client is told of an order: its state in words, never the reasons kept for staff."""

from dataclasses import dataclass

import htpy as h

from app.components.badge import badge, state_badge
from app.components.tone import Tone
from app.domain.orders.mark_paid import PAID_LATE
from app.domain.orders.states import IN_FLIGHT, OrderState
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import WAITING


@dataclass(frozen=True, slots=True)
class Words:
    """A headline and what it means for the client."""

    tone: Tone
    title: str
    text: str


def is_waiting(order: OrderView) -> bool:
    """Say whether a paid order waits for a server."""
    return order.state in IN_FLIGHT and order.state_reason in {WAITING, PAID_LATE}


def order_badge(order: OrderView, *, is_halted: bool = False) -> h.Element:
    """Return the badge of an order as its client sees it."""
    if is_waiting(order):
        return badge("Waiting for a server", "warning")
    if order.state is OrderState.failed or (is_halted and order.state in IN_FLIGHT):
        return badge("We are on it", "warning")
    if order.state is OrderState.provisioning:
        return state_badge(order.state, "Being set up")
    return state_badge(order.state)


WAITS = Words(
    "warning",
    "Your order waits for a server",
    "It is paid, and no server of this kind is free at the moment. It goes on by itself as soon "
    "as one is; you need not do anything. If you would rather have the money back as account "
    "credit, write to us.",
)
STOPPED = Words(
    "warning",
    "This takes longer than usual",
    "Something needs a technician's eye, and we have been told. We are on it: your server "
    "follows, or you get your money back. You need not do anything.",
)
RESERVED = Words(
    "accent",
    "Reserved for you",
    "A server and its addresses are kept for you until the time is up. Setting it up begins the "
    "moment you have paid.",
)
UNRESERVED = Words(
    "info",
    "No longer reserved",
    "The reservation has run out. You can still pay: a server is reserved again first, if one is "
    "free, so that you never pay for what is gone.",
)
BY_STATE: dict[OrderState, Words] = {
    OrderState.cart: UNRESERVED,
    OrderState.held: UNRESERVED,
    OrderState.awaiting_payment: UNRESERVED,
    OrderState.paid: Words(
        "accent", "Paid, and about to start", "Thank you. Setting it up begins in a moment."
    ),
    OrderState.provisioning: Words(
        "accent",
        "Your server is being set up",
        "You can leave this page: the access is mailed to you when the server is ready.",
    ),
    OrderState.delivered: Words(
        "success",
        "Your server is ready",
        "The access is on the service's page, and it is mailed to you as well.",
    ),
    OrderState.failed: STOPPED,
    OrderState.cancelled: Words(
        "info",
        "This order is cancelled",
        "Nothing is kept for it any more. Whatever was paid is account credit.",
    ),
}


def order_words(order: OrderView, *, is_halted: bool) -> Words:
    """Return what the head of the order's page says."""
    if is_waiting(order):
        return WAITS
    if is_halted and order.state in IN_FLIGHT:
        return STOPPED
    if order.is_unpaid and order.hold_expires_at:
        return RESERVED
    return BY_STATE[order.state]
