"""What ended runs left behind."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.run_bits import RUNS
from app.components.badge import state_badge
from app.components.card import card
from app.components.empty import empty
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row, table
from app.components.time import moment
from app.flows.orphans import Orphan

MOST = 50
_COLUMNS = (
    Column("What"),
    Column("Why it is here"),
    Column("Run", narrow=True),
    Column("Ended", narrow=True),
)


def orphans_page(orphans: Sequence[Orphan], *, frame: PageFrame) -> h.Element:
    rows = [
        Row(
            cells=(
                h.div[
                    h.span(".sw-strong")[f"{one.kind.capitalize()} {one.reference}"],
                    h.span(".sw-under")[f"order #{one.order_number}"] if one.order_number else None,
                ],
                one.words,
                h.div[state_badge(one.run_status), h.span(".sw-under")[one.flow_name]],
                moment(one.ended_at),
            ),
            href=f"{RUNS}/{one.run}",
            marked=True,
        )
        for one in orphans[:MOST]
    ]
    return admin_page(
        "Left behind",
        page_head(
            "Left behind",
            eyebrow=h.a(href=RUNS)["Runs"],
            lede="Taken by runs that have ended, and neither delivered nor given back. Nothing is "
            "changed by itself; staff were told of each once.",
        ),
        card(
            table(
                _COLUMNS,
                rows,
                caption="Left behind",
                empty=empty(
                    "circle-check", "Nothing is left behind", "Every ended run closed its ledger."
                ),
            ),
            h.p(".sw-quiet.sw-pending")[f"The first {MOST} of {len(orphans):,}."]
            if len(orphans) > MOST
            else None,
            flush=True,
        ),
        frame=frame,
        active="runs",
    )
