"""Orders that wait for a server, who goes first, and what came of serving them together."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.orders import ORDERS
from app.components.admin.outlook import BACKLOG, stock_tabs
from app.components.badge import badge
from app.components.button import link_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.form import Form, text_field
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import duration_text, moment
from app.domain.orders.find_backlog import WaitingLine
from app.domain.orders.serve_backlog import Served
from app.domain.orders.set_priority import HIGHEST, LOWEST
from app.domain.orders.views import OrderView


def backlog_page(
    waiting: Sequence[WaitingLine],
    served: Sequence[Served],
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        "Waiting orders",
        page_head(
            "Waiting orders",
            eyebrow="Stock",
            lede="Paid orders without a server. When stock appears they are served all together: "
            "as many as possible, higher priorities first.",
        ),
        backlog_region(waiting, served, may_change=may_change),
        frame=frame,
        active="stock",
    )


def backlog_region(
    waiting: Sequence[WaitingLine], served: Sequence[Served], *, may_change: bool
) -> h.Element:
    """Return all of the page but its head; it changes as orders come and are served."""
    return live_region("backlog orders", f"{BACKLOG}/now", id_="backlog", at_most_every_ms=2_000)[
        stack(
            stock_tabs(BACKLOG, len(waiting)),
            _waiting(waiting, may_change=may_change),
            _served(served),
        )
    ]


def priority_page(order: OrderView, form: Form, *, frame: PageFrame) -> h.Element:
    return decide_page(
        f"Priority of order {order.number}",
        text_field(
            form,
            "priority",
            "Priority",
            inputmode="numeric",
            help_=f"{LOWEST} to {HIGHEST}; 0 is usual, higher is served first.",
        ),
        about=h.p[
            "It counts while the order waits for a server. No order of a lower priority is served "
            "at its cost, however long that one waits."
        ],
        form=form,
        action=f"{BACKLOG}/{order.id}/priority",
        confirm="Set it",
        back=("Waiting orders", BACKLOG),
        frame=frame,
        active="stock",
        labels={"priority": "Priority"},
    )


def _waiting(lines: Sequence[WaitingLine], *, may_change: bool) -> h.Element:
    columns = (
        Column("Order"),
        Column("Product"),
        Column("Waits since", narrow=True),
        Column("Passed over", figures=True, narrow=True),
        Column("Priority", figures=True, narrow=True),
        *([Column("Change", hidden_label=True)] if may_change else []),
    )
    rows = [
        Row(
            cells=(
                [
                    h.a(href=f"{ORDERS}/{line.id}")[f"{line.number}"],
                    h.span(".sw-under")[f"{line.client}, {line.hostname}"],
                ],
                line.product,
                moment(line.paid_at) if line.paid_at else "",
                f"{line.passed:,}",
                f"{line.priority}",
                *(
                    [link_button("Priority", f"{BACKLOG}/{line.id}/priority", size="small")]
                    if may_change
                    else []
                ),
            ),
            id_=f"waiting-{line.id}",
            marked=bool(line.passed),
        )
        for line in lines
    ]
    return card(
        table(
            columns,
            rows,
            caption="Orders that wait for a server",
            empty=empty("check", "Nobody waits", "Every paid order has its server."),
        ),
        flush=True,
    )


def _served(served: Sequence[Served]) -> h.Element | None:
    if not served:
        return None
    rows = [
        Row(
            cells=(
                moment(one.at),
                f"{one.waiting:,}",
                f"{one.placed:,}",
                f"{one.bound:,}",
                f"{one.gap:.1%}",
                badge("proven", "success") if one.is_proven else badge("best found", "neutral"),
                duration_text(one.took_ms),
            ),
            id_=f"served-{one.at.timestamp():.0f}-{one.waiting}",
        )
        for one in served
    ]
    return card(
        table(
            (
                Column("When"),
                Column("Waited", figures=True, narrow=True),
                Column("Served", figures=True, narrow=True),
                Column("At most", figures=True, narrow=True),
                Column("Gap", figures=True, narrow=True),
                Column("Choice", narrow=True),
                Column("Took", figures=True, narrow=True),
            ),
            rows,
            caption="The last times that stock appeared",
        ),
        title="The last times that stock appeared",
        lede="No plan could have served more than “at most”; a choice is proven where no other "
        "suits better.",
        symbol="history",
        flush=True,
    )
