"""The list of runs, those that do not move first."""

from collections.abc import Mapping

import htpy as h

from app.components.admin.filters import View, Wanted, filter_bar, listing
from app.components.admin.run_bits import RUNS, run_badge, step_words, subject_cell
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.components.table import Column, Row
from app.components.time import moment
from app.flows.views import LIVE, RunPage, RunRow, RunStatus, Trouble

STUCK = "stuck"
VIEWS: Mapping[str, tuple[str, frozenset[RunStatus]]] = {
    "": ("All", frozenset()),
    STUCK: ("Stuck", frozenset()),
    "live": ("Under way", LIVE),
    "succeeded": ("Succeeded", frozenset({RunStatus.succeeded})),
    "failed": ("Failed", frozenset({RunStatus.failed})),
    "cancelled": ("Cancelled", frozenset({RunStatus.cancelled})),
}
"""Tab by its key in the address: its words, and the statuses that it shows."""

_COLUMNS = (
    Column("For"),
    Column("State", narrow=True),
    Column("Step"),
    Column("Begun", narrow=True),
    Column("Ended", narrow=True),
)


def runs_page(
    found: RunPage, counts: Mapping[RunStatus, int], wanted: Wanted, *, frame: PageFrame
) -> h.Element:
    shown = {key: sum(counts[one] for one in statuses) for key, (_, statuses) in VIEWS.items()}
    shown[""] = sum(counts.values())
    views = [
        View(key, words, None if key == STUCK else shown[key]) for key, (words, _) in VIEWS.items()
    ]
    return admin_page(
        "Runs",
        page_head("Runs", lede="Every execution of a flow; those that do not move come first."),
        filter_bar(wanted, views, search="Order number, host name or flow"),
        runs_list(found, wanted),
        frame=frame,
        active="runs",
    )


def runs_list(found: RunPage, wanted: Wanted) -> h.Element:
    return listing(
        wanted,
        _COLUMNS,
        [_row(run) for run in found.items],
        topic="dashboard",
        caption="Runs",
        page_count=found.page_count,
        total=found.total,
        symbol="workflow",
        nothing=("No runs yet", "A flow runs as soon as an order is paid."),
    )


def _row(run: RunRow) -> Row:
    says = run.says or (run.error if not run.is_live else "")
    return Row(
        cells=(
            h.div[
                subject_cell(run),
                h.span(".sw-under")[f"{run.flow_name}, version {run.version}"],
            ],
            run_badge(run),
            h.div[step_words(run), h.span(".sw-under.sw-clip")[says] if says else None],
            moment(run.created_at),
            moment(run.finished_at) if run.finished_at else "–",
        ),
        href=f"{RUNS}/{run.id}",
        id_=f"run-{run.id}",
        marked=run.trouble in {Trouble.halted, Trouble.undo_fails},
    )
