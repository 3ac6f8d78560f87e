"""Flows: which version serves what, how well they run, and what their versions changed."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.run_bits import RUNS, length_ms
from app.components.badge import badge
from app.components.button import link_button
from app.components.card import card, stack
from app.components.empty import empty
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import duration_text, moment
from app.flows.diff import Diff, lines
from app.flows.flow_views import FlowRow, FlowView, VersionRow

FLOWS = "/admin/flows"
MOST_VERSIONS = 50
_COLUMNS = (
    Column("Flow"),
    Column("Serves"),
    Column("Under way", figures=True),
    Column("Success", figures=True),
    Column("Takes", narrow=True),
    Column("Last failure", narrow=True),
)
_HISTORY = (
    Column("Version"),
    Column("Published", narrow=True),
    Column("By", narrow=True),
    Column("Runs", figures=True),
    Column("Changes", narrow=True, hidden_label=True),
)


def flows_page(flows: Sequence[FlowRow], *, frame: PageFrame) -> h.Element:
    return admin_page(
        "Flows",
        page_head("Flows", lede="What serves which category, and how it went in the last 30 days."),
        card(
            table(
                _COLUMNS,
                [_row(flow) for flow in flows],
                caption="Flows",
                empty=empty("workflow", "No flows yet", "Publish one to see it here."),
            ),
            flush=True,
        ),
        frame=frame,
        active="flows",
    )


def _row(flow: FlowRow) -> Row:
    serves = [f"{one.category_name} on {one.trigger}" for one in flow.bindings]
    rate = flow.success_rate
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[flow.name],
                h.span(".sw-under")[f"version {flow.version}"],
                None if flow.is_enabled else badge("Disabled", "danger", dot=False),
            ],
            ", ".join(serves) or flow.trigger or "–",
            f"{flow.live:,}",
            "–" if rate is None else f"{rate:.1%}",
            _takes(flow),
            moment(flow.last_failure.at) if flow.last_failure else "–",
        ),
        href=f"{FLOWS}/{flow.slug}",
        id_=f"flow-{flow.id}",
        marked=not flow.is_enabled,
    )


def _takes(flow: FlowRow) -> h.Node:
    if flow.p50 is None or flow.p99 is None:
        return "–"
    return h.div[
        duration_text(length_ms(flow.p50)),
        h.span(".sw-under")[f"p99 {duration_text(length_ms(flow.p99))}"],
    ]


def flow_page(flow: FlowView, *, frame: PageFrame) -> h.Element:
    row = flow.row
    return admin_page(
        row.name,
        page_head(
            row.name,
            eyebrow=h.a(href=FLOWS)["Flows"],
            status=None if row.is_enabled else badge("Disabled", "danger"),
            lede=row.description or f"Starts on {row.trigger}.",
            actions=[
                link_button("Runs", f"{RUNS}?flow={row.slug}", symbol="list", weight="quiet"),
                link_button("Export", f"{FLOWS}/{row.slug}/file", symbol="download"),
            ],
        ),
        card(
            table(
                _HISTORY,
                [_version(row.slug, one) for one in flow.versions[:MOST_VERSIONS]],
                caption="Versions",
            ),
            title="Versions",
            symbol="list",
            flush=True,
        ),
        frame=frame,
        active="flows",
    )


def _version(slug: str, version: VersionRow) -> Row:
    before = version.number - 1
    return Row(
        cells=(
            h.div[
                h.span(".sw-strong")[f"Version {version.number}"],
                h.span(".sw-under")[version.note] if version.note else None,
            ],
            moment(version.published_at),
            version.published_by or "the system",
            h.div[
                f"{version.runs:,}",
                h.span(".sw-under")[f"{version.live:,} under way"] if version.live else None,
            ],
            link_button(
                "What changed", f"{FLOWS}/{slug}/changes/{before}/{version.number}", size="small"
            )
            if before
            else None,
        ),
        id_=f"version-{version.number}",
    )


def changes_page(
    flow: str, before: int, after: int, changes: Diff, *, frame: PageFrame
) -> h.Element:
    title = f"From version {before} to {after}"
    body: h.Node = (
        h.p["They run the same."]
        if changes.is_empty
        else h.pre(".sw-code.sw-changes", tabindex="0", role="group", aria_label=title)[
            "\n".join(lines(changes))
        ]
    )
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=f"{FLOWS}/{flow}")[flow],
            lede="+ is new, - is gone, ~ differs.",
        ),
        stack(card(body)),
        frame=frame,
        active="flows",
    )
