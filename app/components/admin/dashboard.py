"""The dashboard: what needs a person, what is under way, how the business does."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import htpy as h

from app.components.admin.health import Health, health_region
from app.components.admin.run_bits import (
    RUNS,
    length_ms,
    retry_form,
    run_badge,
    run_clock,
    since,
    step_words,
    subject_cell,
    why_words,
)
from app.components.admin.stock import Stock, stock_region
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.card import card, card_grid, split, stack
from app.components.empty import empty
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.money import money
from app.components.page import admin_page, page_head
from app.components.stat import stat
from app.components.table import Column, Row, table
from app.components.time import about_text, duration_text, elapsed, moment
from app.components.tone import Tone
from app.core.money import Money
from app.domain.orders.figures import Backlog, Deliveries, DeliveryTime, Owed
from app.domain.orders.views import OrderView
from app.flows.views import NEEDS_A_PERSON, RunRow, Trouble

NOW_URL = "/admin/dashboard/now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Now:
    """What the dashboard shows; None where the role may not see it."""

    at: datetime
    runs: tuple[RunRow, ...]
    orders: tuple[OrderView, ...]
    """Orders that need a look though no run of theirs does."""
    deliveries: Deliveries
    backlog: Backlog
    owed: tuple[Owed, ...] | None
    may_retry: bool


def dashboard_page(now: Now, health: Health, stock: Stock | None, *, frame: PageFrame) -> h.Element:
    return admin_page(
        "Dashboard",
        page_head("Dashboard", lede="What needs a person comes first; the rest runs by itself."),
        stack(
            now_region(now, frame.csrf),
            split(stock_region(stock), health_region(health)) if stock else health_region(health),
        ),
        frame=frame,
        active="dashboard",
    )


def now_region(now: Now, csrf: str) -> h.Element:
    """Return all that changes while one looks; fetched again at most once a second."""
    stuck = [run for run in now.runs if run.trouble is not Trouble.none]
    moving = [run for run in now.runs if run.trouble is Trouble.none]
    others = [run for run in moving if not run.delivers]
    return live_region("dashboard", NOW_URL, id_="now", at_most_every_ms=1_000)[
        stack(
            _stuck(now, stuck, csrf) if stuck or now.orders else None,
            _figures(now, len(stuck) + len(now.orders)),
            _in_flight(now, [run for run in moving if run.delivers]),
            _others(now, others) if others else None,
        )
    ]


def _stuck(now: Now, runs: list[RunRow], csrf: str) -> h.Element:
    columns = (
        Column("What"),
        Column("State", narrow=True),
        Column("Why"),
        Column("Since", narrow=True),
        Column("Actions", narrow=True, hidden_label=True),
    )
    rows = [
        Row(
            cells=(
                _what(run),
                run_badge(run),
                h.div[h.div(".sw-strong")[step_words(run)], why_words(run, now.at)],
                since(run),
                retry_form(run, csrf, back="/admin", size="small")
                if run.trouble is Trouble.halted and now.may_retry
                else link_button("Look", f"{RUNS}/{run.id}", size="small"),
            ),
            href=f"{RUNS}/{run.id}",
            id_=f"stuck-{run.id}",
            marked=run.trouble in NEEDS_A_PERSON,
        )
        for run in runs
    ] + [
        Row(
            cells=(
                h.div[
                    h.span(".sw-strong")[order.hostname],
                    h.span(".sw-under")[f"order #{order.number}"],
                ],
                state_badge(order.state),
                h.div(".sw-whys")[
                    h.span(".sw-why")[order.state_reason or "Nothing has happened for a while"]
                ],
                moment(order.state_since),
                link_button("Decide", f"/admin/orders/{order.id}", size="small"),
            ),
            href=f"/admin/orders/{order.id}",
            id_=f"stuck-{order.id}",
            marked=True,
        )
        for order in now.orders
    ]
    return card(
        table(columns, rows, caption="What does not move"),
        title="Needs a look",
        lede="What waits for stock, and what is being retried, goes on by itself.",
        symbol="triangle-alert",
        flush=True,
    )


def _figures(now: Now, stuck: int) -> h.Element:
    held_up = sum(run.trouble in NEEDS_A_PERSON for run in now.runs) + len(now.orders)
    tone: Tone = "danger" if held_up else "warning" if stuck else "success"
    return card_grid(
        stat(
            "In flight",
            f"{now.backlog.in_flight:,}",
            detail=f"{now.backlog.awaiting_payment:,} await payment",
            symbol="package",
            href="/admin/orders?view=in-flight",
        ),
        stat(
            "Stuck",
            f"{stuck:,}",
            detail="a person is needed" if held_up else "all moves" if not stuck else "none halted",
            symbol="triangle-alert",
            tone=tone,
            href=f"{RUNS}?view=stuck",
        ),
        stat(
            "Delivered",
            f"{now.deliveries.today.count:,}",
            detail=f"today; {now.deliveries.week.count:,} in 7 days",
            symbol="circle-check",
            href="/admin/orders?view=delivered",
        ),
        _speed("Delivery p50", now.deliveries, "p50"),
        _speed("Delivery p99", now.deliveries, "p99"),
        _owed(now.owed) if now.owed is not None else None,
        least_width="small",
    )


def _speed(label: str, figures: Deliveries, which: str) -> h.Element:
    """Show today's figure, or the week's on a day without deliveries."""
    today, week = _of(figures.today, which), _of(figures.week, which)
    shown = today if today is not None else week
    detail = "no delivery in 7 days"
    if week is not None:
        # A flow's page tells how long its runs take: the wait for one is in here alone.
        detail = f"from the payment; 7 days: {duration_text(length_ms(week))}"
        if today is None:
            detail = "from the payment; 7 days, none today"
    figure, unit = _figure(shown) if shown is not None else ("–", None)
    return stat(
        label,
        figure,
        unit=unit,
        detail=detail,
        symbol="timer",
        recent=figures.recent_s if which == "p50" else (),
    )


def _figure(length: timedelta) -> tuple[str, str]:
    """Return a length as one figure and its unit, short enough for a tile."""
    seconds = length.total_seconds()
    if seconds < 120:
        return (f"{seconds:.1f}" if seconds < 10 else f"{seconds:.0f}"), "s"
    if seconds < 7_200:
        return f"{seconds / 60:.1f}", "min"
    return f"{seconds / 3_600:.1f}", "h"


def _of(figures: DeliveryTime, which: str) -> timedelta | None:
    return figures.p50 if which == "p50" else figures.p99


def _owed(owed: tuple[Owed, ...]) -> h.Element:
    overdue = sum(one.overdue for one in owed)
    count = sum(one.count for one in owed)
    first = owed[0] if owed else None
    rest = ", ".join(Money(one.due_minor, one.currency).text() for one in owed[1:])
    detail = f"{count:,} open, {overdue:,} overdue" if count else "nothing is open"
    return stat(
        "Owed",
        money(Money(first.due_minor, first.currency)) if first else "–",
        detail=[detail, h.br, f"and {rest}"] if rest else detail,
        symbol="receipt",
        tone="warning" if overdue else "neutral",
        href="/admin/invoices?view=open",
    )


def _in_flight(now: Now, runs: list[RunRow]) -> h.Element:
    """List the orders whose delivery moves, and lead to those that wait for somebody, too."""
    whole = now.backlog.in_flight
    return card(
        table(
            _columns("Order", "Since paid"),
            [_moving(run, now.at) for run in runs],
            caption="Orders in flight",
            empty=empty(
                "package",
                "No order is moving",
                "A paid order appears here at once; one that waits for somebody is named above.",
            ),
        ),
        title="Orders in flight",
        symbol="activity",
        footer=h.a(href="/admin/orders?view=in-flight")[f"All {whole:,} in flight"]
        if whole > len(runs)
        else None,
        flush=True,
    )


def _others(now: Now, runs: list[RunRow]) -> h.Element:
    """List what moves and delivers no order: rescues, burn-ins, terminations and the like."""
    return card(
        table(
            _columns("What", "Since begun"),
            [_moving(run, now.at) for run in runs],
            caption="Other runs under way",
        ),
        title="Other runs under way",
        symbol="workflow",
        footer=h.a(href=RUNS)["All runs"],
        flush=True,
    )


def _columns(what: str, since: str) -> tuple[Column, ...]:
    return (
        Column(what),
        Column("Step"),
        Column("This step", narrow=True),
        Column(since, figures=True, narrow=True),
    )


def _moving(run: RunRow, now: datetime) -> Row:
    begun = elapsed(length_ms(now - run.created_at))
    return Row(
        cells=(
            _what(run),
            h.div(".sw-step-cell")[
                h.div[step_words(run), " ", run_badge(run) if run.cancel_requested else None],
                h.div(".sw-quiet")[run.says] if run.says else None,
            ],
            _step_time(run, now),
            run_clock(run, now) if run.delivers else begun,
        ),
        href=f"{RUNS}/{run.id}",
        id_=f"moving-{run.id}",
    )


def _what(run: RunRow) -> h.Element:
    """Return whose run it is, with its flow where that delivers no order."""
    if run.delivers or run.order_number is None:
        return subject_cell(run)
    return h.div[subject_cell(run), h.span(".sw-under")[run.flow_name]]


def _step_time(run: RunRow, now: datetime) -> h.Node:
    if run.step_since is None:
        return "–"
    spent = now - run.step_since
    usually = (
        h.span(".sw-quiet")[f" of usually {about_text(length_ms(run.expected))}"]
        if run.expected is not None
        else None
    )
    late = run.expected is not None and spent > max(run.expected * 3, timedelta(seconds=5))
    return h.span(class_={"sw-late": late})[elapsed(length_ms(spent)), usually]
