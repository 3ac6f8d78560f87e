"""The list of flows: which version serves which category, and how well each of them runs."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.flow_bits import (
    FLOWS,
    IMPORT,
    ORDER_PAID,
    failure_link,
    flow_badges,
    rate_words,
    score_badge,
    served_words,
    takes,
    trigger_words,
)
from app.components.badge import badge
from app.components.button import link_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.flows.flow_views import BindingRow, FlowRow

_COLUMNS = (
    Column("Flow"),
    Column("Serves"),
    Column("Runs", figures=True),
    Column("Success", figures=True),
    Column("Takes", figures=True, narrow=True),
    Column("Last failure"),
    Column("Rehearsal", figures=True, narrow=True),
)
_SERVED = (Column("Category"), Column("A paid order starts"), Column("State", narrow=True))


def flows_page(
    flows: Sequence[FlowRow],
    served: Sequence[BindingRow],
    *,
    may_change: bool,
    frame: PageFrame,
) -> h.Element:
    return admin_page(
        "Flows",
        page_head(
            "Flows",
            lede="What serves which category, and how it went in the last 30 days.",
            actions=[
                link_button("Import", IMPORT, symbol="file-text"),
                link_button("New flow", "/designer", symbol="plus"),
            ]
            if may_change
            else None,
        ),
        flows_list(flows, served),
        frame=frame,
        active="flows",
    )


def flows_list(flows: Sequence[FlowRow], served: Sequence[BindingRow]) -> h.Element:
    """Return the lists, which keep themselves current."""
    return live_region(
        "flows dashboard", f"{FLOWS}?part=list", id_="flows", at_most_every_ms=2_000
    )[
        stack(
            _unserved(served),
            card(
                table(
                    _COLUMNS,
                    [_row(flow) for flow in flows],
                    caption="Flows",
                    empty=empty("workflow", "No flows yet", "Publish one to see it here."),
                ),
                flush=True,
            ),
            card(
                table(
                    _SERVED,
                    [_served(binding) for binding in served],
                    caption="Categories",
                    empty=empty("boxes", "No categories yet", "The catalogue has none."),
                ),
                title="Categories",
                symbol="boxes",
                flush=True,
            ),
        )
    ]


def _unserved(served: Sequence[BindingRow]) -> h.Element | None:
    """Say which categories nobody serves; None when there is a flow for each."""
    names = [one.category_name for one in served if not one.is_enabled]
    if not names:
        return None
    return notice(
        "danger",
        f"No flow that is enabled serves {', '.join(names)}",
        h.p["Paid orders wait for a person. Open the flow that should serve them, and bind it."],
    )


def _row(flow: FlowRow) -> Row:
    serves = [
        one.category_name
        if one.trigger == ORDER_PAID
        else f"{one.category_name} on {trigger_words(one.trigger)}"
        for one in flow.bindings
    ]
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[flow.name],
                h.span(".sw-under")[f"version {flow.version}"],
                h.span(".sw-badges")[flow_badges(flow)],
                h.span(".sw-under.sw-clip")[flow.disabled.reason] if flow.disabled else None,
            ],
            ", ".join(serves) or h.span(".sw-quiet")[trigger_words(flow.trigger) or "–"],
            h.div[
                f"{flow.begun:,}",
                h.span(".sw-under")[f"{flow.begun_today:,} in 24 h"],
                h.span(".sw-under")[f"{flow.live:,} under way"] if flow.live else None,
            ],
            rate_words(flow),
            takes(flow),
            failure_link(flow.last_failure),
            score_badge(flow.score),
        ),
        href=f"{FLOWS}/{flow.slug}",
        id_=f"flow-{flow.id}",
        marked=not flow.is_enabled,
    )


def _served(binding: BindingRow) -> Row:
    flow = binding.flow
    if flow is None:
        state = badge("No flow", "danger")
        served: h.Node = h.span(".sw-none-left")["Nothing: paid orders wait for a person"]
    else:
        state = badge("Served", "success") if binding.is_enabled else badge("Disabled", "danger")
        served = h.a(href=f"{FLOWS}/{flow}")[served_words(binding)]
    return Row(
        cells=(h.span(".sw-strong")[binding.category_name], served, state),
        id_=f"served-{binding.category}",
        marked=not binding.is_enabled,
    )
