"""The provider's side of the gallery: tiles, tables, charts, every badge."""

from datetime import timedelta

import htpy as h

from app.components.badge import STATE_TONES, badge, count_badge, state_badge
from app.components.button import button, icon_button, link_button
from app.components.card import card, card_grid, stack
from app.components.chart import Series, time_chart
from app.components.empty import empty
from app.components.facts import code
from app.components.frame import Theme
from app.components.icon import icon
from app.components.money import money
from app.components.nav import Tab, tabs
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.pagination import pager, pagination
from app.components.progress import progress, quota, working
from app.components.stat import stat
from app.components.table import Column, Row, table
from app.components.time import duration, moment
from app.core.money import Money
from tests.components.gallery_setting import NOW, frame


def server_rows() -> list[Row]:
    names = [("fra1-r01-u04", "active", 149), ("fra1-r02-u14", "provisioning", 149)]
    names += [("ams1-r01-u22", "quarantined", 89), ("ams1-r01-u23", "available", 89)]
    return [
        Row(
            cells=[
                name,
                state_badge(state),
                ["EPYC 7443P · 128 GB"],
                code("203.0.113.24"),
                moment(NOW - timedelta(hours=number)),
                money(Money(price * 100, "EUR"), per="month"),
                icon_button("ellipsis", f"More about {name}"),
            ],
            href=f"/admin/servers/{number}",
            id_=f"server-{number}",
            marked=state == "quarantined",
        )
        for number, (name, state, price) in enumerate(names)
    ]


COLUMNS = (
    Column("Server"),
    Column("State", narrow=True),
    Column("Hardware"),
    Column("IPv4"),
    Column("Since"),
    Column("Price", figures=True),
    Column("Actions", narrow=True, hidden_label=True),
)


def admin(theme: Theme = "auto") -> h.Element:
    """The provider's side: tiles, tables, charts, every badge."""
    times = [1_773_480_000 + 60 * i for i in range(90)]
    p50 = [1.1 + 0.2 * ((i * 7) % 5) / 5 for i in range(90)]
    p99 = [1.8 + 0.5 * ((i * 11) % 9) / 9 for i in range(90)]
    return admin_page(
        "Dashboard",
        page_head(
            "Dashboard",
            lede="Two orders are stuck; the rest is moving.",
            actions=[
                link_button("Place an order", "/", symbol="plus", weight="primary"),
                button("Reload", symbol="refresh-cw"),
            ],
        ),
        stack(
            card_grid(
                stat(
                    "Orders in flight",
                    14,
                    detail="9 installing",
                    symbol="package",
                    href="/admin/orders",
                ),
                stat("Stuck", 2, detail="oldest 41 min", tone="danger", symbol="triangle-alert"),
                stat("Delivery p50", "1.24", unit="s", recent=p50[:30], symbol="timer"),
                stat("Delivery p99", "1.91", unit="s", recent=p99[:30], symbol="timer"),
                stat(
                    "In stock",
                    9,
                    unit="of 24",
                    detail="runway 6 days",
                    tone="warning",
                    symbol="server",
                ),
                least_width="small",
            ),
            notice(
                "danger",
                "2 orders need a decision",
                h.a(href="/admin/orders")["See why they stand still"],
            ),
            card(
                tabs(
                    [Tab("All", "/a", 24), Tab("Available", "/b", 9), Tab("Quarantined", "/c", 1)],
                    "/b",
                ),
                table(COLUMNS, server_rows(), caption="Servers"),
                title="Servers",
                actions=button("Add servers", size="small", symbol="plus"),
                flush=True,
                footer=pagination(page=4, page_count=12, href=lambda n: f"?page={n}"),
            ),
            card_grid(
                card(
                    time_chart(
                        "Delivery time without the hardware's own",
                        times,
                        [Series("p50", p50), Series("p99", p99)],
                        unit="s",
                    )
                ),
                card(
                    stack(
                        progress(3, 8, label="Orders of this batch"),
                        quota(412, 1024, label="IPv4, 203.0.112.0/22"),
                        quota(870, 1024, label="VLANs, Frankfurt"),
                        quota(252, 256, label="Rack power", unit="A"),
                        working("Inspecting 3 servers"),
                    ),
                    title="Capacity",
                ),
                least_width="large",
            ),
            card_grid(
                card(
                    empty(
                        "package",
                        "No orders yet",
                        "Orders appear here as soon as one is paid.",
                        link_button("Open the shop", "/", weight="primary"),
                    )
                ),
                card(
                    stack(
                        h.div(".sw-actions")[[state_badge(state) for state in STATE_TONES]],
                        h.div(".sw-actions")[badge("No dot", "info", dot=False), count_badge(1204)],
                        h.div(".sw-actions")[
                            button("Plain"),
                            button("Primary", weight="primary"),
                            button("Quiet", weight="quiet"),
                            button("Danger", weight="danger", symbol="trash-2"),
                            button("Small", size="small"),
                            button("Large", size="large"),
                            icon_button("settings", "Settings"),
                        ],
                        h.div[icon("server", label="Server"), " ", duration(7_830_000)],
                        pager(
                            newer=None,
                            older="?before=7",
                            summary="1 to 50 of 1,204",
                            label="Log pages",
                        ),
                    ),
                    title="Badges and buttons",
                ),
                least_width="large",
            ),
        ),
        frame=frame(theme),
        active="dashboard",
    )
