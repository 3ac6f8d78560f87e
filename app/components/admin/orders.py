"""The list of orders."""

from collections.abc import Mapping

import htpy as h

from app.components.admin.filters import View, Wanted, filter_bar, listing
from app.components.badge import state_badge
from app.components.frame import PageFrame
from app.components.money import money
from app.components.page import admin_page, page_head
from app.components.table import Column, Row
from app.components.time import moment
from app.core.money import Money
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderPage, OrderView

ORDERS = "/admin/orders"
VIEWS: Mapping[str, tuple[str, tuple[OrderState, ...]]] = {
    "": ("All", ()),
    "in-flight": ("In flight", (OrderState.paid, OrderState.provisioning)),
    "failed": ("Failed", (OrderState.failed,)),
    "unpaid": ("Awaiting payment", (OrderState.awaiting_payment,)),
    "delivered": ("Delivered", (OrderState.delivered,)),
    "cancelled": ("Cancelled", (OrderState.cancelled,)),
}
"""Tab by its key in the address: its words, and the states that it shows."""

_COLUMNS = (
    Column("Order"),
    Column("Client"),
    Column("Product"),
    Column("State", narrow=True),
    Column("Total", figures=True, narrow=True),
    Column("Placed", narrow=True),
)


def orders_page(found: OrderPage, wanted: Wanted, *, frame: PageFrame) -> h.Element:
    return admin_page(
        "Orders",
        page_head("Orders", lede="From the wish to the delivered server, the latest first."),
        filter_bar(
            wanted,
            [View(key, words) for key, (words, _) in VIEWS.items()],
            search="Order number, host name or e-mail",
        ),
        orders_list(found, wanted),
        frame=frame,
        active="orders",
    )


def orders_list(found: OrderPage, wanted: Wanted) -> h.Element:
    return listing(
        wanted,
        _COLUMNS,
        [_row(order) for order in found.items],
        topic="orders",
        caption="Orders",
        page_count=found.page_count,
        total=found.total,
        symbol="package",
        nothing=("No orders yet", "They appear here as soon as a client places one."),
    )


def _row(order: OrderView) -> Row:
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[f"#{order.number}"],
                h.span(".sw-under")[order.hostname],
            ],
            h.div[order.account_name, h.span(".sw-under")[order.account_email]],
            h.div[
                order.product_name,
                h.span(".sw-under")[order.server_name] if order.server_name else None,
            ],
            h.div[
                state_badge(order.state),
                h.span(".sw-under.sw-clip")[order.state_reason] if order.state_reason else None,
            ],
            money(Money(order.total_minor, order.currency)),
            moment(order.placed_at),
        ),
        href=f"{ORDERS}/{order.id}",
        id_=f"order-{order.id}",
        marked=order.state is OrderState.failed,
    )
