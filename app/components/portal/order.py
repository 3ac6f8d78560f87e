"""An order's page: how it stands, its delivery step by step, and what was ordered."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import htpy as h

from app.components.button import link_button, submit_button
from app.components.card import card, split
from app.components.facts import code, facts
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.money import money
from app.components.page import page_head, portal_page
from app.components.portal.cycle import PER
from app.components.portal.order_words import order_badge, order_words
from app.components.time import countdown, duration, elapsed, moment
from app.components.timeline import TimelineStep, timeline
from app.core.money import Money
from app.domain.orders.states import IN_FLIGHT, OrderState
from app.domain.orders.views import OrderView


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The delivery as far as its client sees it; without steps it has not begun."""

    steps: tuple[TimelineStep, ...] = ()
    is_halted: bool = False
    expected_end: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderStory:
    """An order, what was chosen (name and value), its delivery, and the time."""

    order: OrderView
    chosen: Sequence[tuple[str, str]] = ()
    progress: Progress = field(default_factory=Progress)
    now: datetime


def order_page(story: OrderStory, *, frame: PageFrame) -> h.Element:
    order = story.order
    return portal_page(
        f"Order {order.number}",
        page_head(
            f"Order {order.number}",
            eyebrow=h.a(href="/orders")["Orders"],
            lede=[order.product_name, " for ", code(order.hostname)],
        ),
        split(order_progress(story), [_summary(story)]),
        frame=frame,
        active="orders",
    )


def order_progress(story: OrderStory) -> h.Element:
    """Return how the order stands; the region follows it."""
    order, progress = story.order, story.progress
    words = order_words(order, is_halted=progress.is_halted)
    return live_region(f"order:{order.id}", f"/orders/{order.id}/progress", id_="progress")[
        h.div(".sw-stack")[
            card(
                h.div(".sw-status")[
                    h.p(".sw-status-text")[words.text],
                    _times(story),
                    _actions(order),
                ],
                title=words.title,
                actions=order_badge(order, is_halted=progress.is_halted),
            ),
            card(timeline(progress.steps, label="Delivery"), title="Delivery", symbol="list")
            if progress.steps
            else None,
        ]
    ]


def cancel_page(order: OrderView, *, frame: PageFrame) -> h.Element:
    """Ask before an unpaid order is given up.

    A page rather than a dialog: the order's own page is redrawn as it changes.
    """
    return portal_page(
        f"Cancel order {order.number}",
        page_head(
            f"Cancel order {order.number}?",
            eyebrow=h.a(href=f"/orders/{order.id}")[f"Order {order.number}"],
        ),
        h.div(".sw-narrow")[
            card(
                h.form(".sw-form", method="post", action=f"/orders/{order.id}/cancel")[
                    csrf_field(frame.csrf),
                    h.p[
                        "What is reserved for ",
                        code(order.hostname),
                        " is given back, and its invoice is void. You can order again.",
                    ],
                    h.div(".sw-actions")[
                        submit_button("Cancel the order", busy="Cancelling…", weight="danger"),
                        link_button("Keep it", f"/orders/{order.id}"),
                    ],
                ]
            )
        ],
        frame=frame,
        active="orders",
    )


def _times(story: OrderStory) -> h.Node:
    """Return the clocks that matter in this state."""
    order, now = story.order, story.now
    pairs: list[tuple[str, h.Node]] = []
    if order.is_unpaid and order.hold_expires_at:
        left = order.hold_expires_at - now
        left_s = max(0, int(left.total_seconds()))
        # Clocks of minutes: a hold of days, for a bank transfer, is given as a time instead.
        clock = countdown(left_s) if left < timedelta(hours=2) else moment(order.hold_expires_at)
        pairs.append(("Reserved until" if left >= timedelta(hours=2) else "Time left", clock))
    if order.paid_at and order.state in IN_FLIGHT:
        pairs.append(("Since payment", elapsed(_ms(now - order.paid_at))))
        end = story.progress.expected_end
        if story.progress.is_halted:
            pairs.append(("Expected", "later than usual"))
        elif end is not None:
            pairs.append(("Expected ready", moment(end)))
    if order.paid_at and order.delivered_at:
        pairs.append(("Delivered in", duration(_ms(order.delivered_at - order.paid_at))))
        pairs.append(("Delivered", moment(order.delivered_at)))
    if order.server_name and order.paid_at:
        pairs.append(("Server", code(order.server_name)))
    if not pairs:
        return None
    return h.dl(".sw-clocks")[[h.div[h.dt[name], h.dd[value]] for name, value in pairs]]


def _actions(order: OrderView) -> h.Node:
    if order.is_unpaid and order.invoice_id:
        return h.div(".sw-actions")[
            link_button(
                "Pay now",
                f"/invoices/{order.invoice_id}/pay",
                weight="primary",
                symbol="credit-card",
            ),
            link_button("Cancel order", f"/orders/{order.id}/cancel", weight="quiet"),
        ]
    if order.state is OrderState.delivered and order.service_id:
        return h.div(".sw-actions")[
            link_button(
                "Open your server",
                f"/services/{order.service_id}",
                weight="primary",
                symbol="square-terminal",
            )
        ]
    if order.state is OrderState.cancelled:
        return h.div(".sw-actions")[
            link_button("Order again", f"/products/{order.product_slug}", symbol="rotate-ccw")
        ]
    return None


def _summary(story: OrderStory) -> h.Element:
    order = story.order
    rows: list[tuple[str, h.Node]] = [
        ("Server", order.product_name),
        ("Host name", code(order.hostname)),
        *story.chosen,
        ("Ordered", moment(order.placed_at, relative=False)),
        ("Due now" if order.is_unpaid else "First payment", _money(order, order.total_minor)),
        ("Each " + PER[order.cycle], [_money(order, order.recurring_minor), " plus tax"]),
    ]
    invoice = (
        h.a(href=f"/invoices/{order.invoice_id}")[f"Invoice {order.invoice_number}"]
        if order.invoice_id
        else None
    )
    return card(h.div(".sw-facts-tight")[facts(rows)], title="What you ordered", footer=invoice)


def _money(order: OrderView, amount_minor: int) -> h.Element:
    return money(Money(amount_minor, order.currency))


def _ms(length: timedelta) -> int:
    return max(0, int(length / timedelta(milliseconds=1)))
