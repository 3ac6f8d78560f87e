"""The list of runs, those that do not move first; many are retried or cancelled at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import htpy as h

from app.components.admin.decide import decide_page
from app.components.admin.filters import Choice, View, Wanted, filter_bar, listing
from app.components.admin.run_bits import RUNS, run_badge, step_words, subject_cell, subject_words
from app.components.button import link_button, submit_button
from app.components.choice import Option
from app.components.designer.names import overlay_url
from app.components.form import Form, csrf_field, hidden_field
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.page import admin_page, page_head
from app.components.table import Column, Row
from app.components.time import moment
from app.flows.views import (
    LIVE,
    NEEDS_A_PERSON,
    RunPage,
    RunRow,
    RunStatus,
    RunsWanted,
    Trouble,
)

MANY = "many"
"""The form to which the boxes of the list belong, and its address."""
RUN = "run"
FLOW, STATUS, TRIGGER = "flow", "status", "trigger"

VIEWS: Mapping[str, tuple[str, RunsWanted]] = {
    "": ("All", RunsWanted()),
    "stuck": ("Stuck", RunsWanted(stuck=True)),
    "approval": ("Waiting for approval", RunsWanted(trouble=Trouble.waits_for_approval)),
    "doubt": ("In doubt", RunsWanted(trouble=Trouble.in_doubt)),
    "live": ("Under way", RunsWanted(statuses=tuple(sorted(LIVE)))),
    "succeeded": ("Succeeded", RunsWanted(statuses=(RunStatus.succeeded,))),
    "failed": ("Failed", RunsWanted(statuses=(RunStatus.failed,))),
    "cancelled": ("Cancelled", RunsWanted(statuses=(RunStatus.cancelled,))),
}
"""Tab by its key in the address: its words, and the runs that it shows."""

_COLUMNS = (
    Column("For"),
    Column("State", narrow=True),
    Column("Step"),
    Column("Begun", narrow=True),
    Column("Ended", narrow=True),
    Column("Over its flow", narrow=True, hidden_label=True),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsFile:
    """A page of the list, with what it can be narrowed to."""

    found: RunPage
    counts: Mapping[RunStatus, int]
    flows: Sequence[tuple[str, str]]
    """Slug and name of each."""
    triggers: Sequence[str]
    may_change: bool


def runs_page(file: RunsFile, wanted: Wanted, *, frame: PageFrame) -> h.Element:
    choices = (
        Choice(
            name=FLOW,
            label="Flow",
            blank="Every flow",
            options=[Option(value=slug, label=name) for slug, name in file.flows],
        ),
        Choice(
            name=TRIGGER,
            label="Begun by",
            blank="Anything",
            options=[Option(value=one, label=_event_words(one)) for one in file.triggers],
        ),
        Choice(
            name=STATUS,
            label="Status",
            blank="Any",
            options=[Option(value=one, label=one.capitalize()) for one in RunStatus],
        ),
    )
    return admin_page(
        "Runs",
        page_head(
            "Runs",
            lede="Every execution of a flow; those that do not move come first.",
            actions=link_button("Left behind", f"{RUNS}/orphans", symbol="boxes", weight="quiet"),
        ),
        filter_bar(
            wanted,
            [View(key, words, _count(file, one)) for key, (words, one) in VIEWS.items()],
            search="Order, host, client, server or run",
            choices=choices,
        ),
        runs_list(file.found, wanted, may_change=file.may_change),
        _many(wanted, frame.csrf) if file.may_change else None,
        frame=frame,
        active="runs",
    )


def _count(file: RunsFile, view: RunsWanted) -> int | None:
    if view.stuck or view.trouble:
        return None
    return sum(file.counts[status] for status in view.statuses or RunStatus)


def _event_words(event: str) -> str:
    """Turn `order.paid` into "Order paid"."""
    return event.replace(".", " ").replace("_", " ").capitalize()


def _many(wanted: Wanted, csrf: str) -> h.Element:
    """Return the form that the boxes belong to; it stays as it is while the list is renewed."""
    return h.form(
        ".sw-many", id=MANY, method="post", action=f"{RUNS}/{MANY}", aria_label="The runs chosen"
    )[
        csrf_field(csrf),
        hidden_field("back", wanted.address(page=wanted.page)),
        h.span(".sw-quiet")["With the runs chosen:"],
        submit_button(
            "Retry",
            busy="Retrying…",
            weight="plain",
            symbol="rotate-ccw",
            name="deed",
            value="retry",
        ),
        submit_button(
            "Cancel…", busy="One moment…", weight="plain", symbol="ban", name="deed", value="cancel"
        ),
    ]


def runs_list(found: RunPage, wanted: Wanted, *, may_change: bool) -> h.Element:
    box = (Column("Choose", narrow=True, hidden_label=True),) if may_change else ()
    return listing(
        wanted,
        (*box, *_COLUMNS),
        [_row(run, may_change=may_change) for run in found.items],
        topic="dashboard",
        caption="Runs",
        page_count=found.page_count,
        total=found.total,
        symbol="workflow",
        nothing=("No runs yet", "A flow runs as soon as an order is paid."),
    )


def _row(run: RunRow, *, may_change: bool) -> Row:
    says = run.says or (run.error if not run.is_live else "")
    box = (_box(run) if run.is_live else None,) if may_change else ()
    return Row(
        cells=(
            *box,
            h.div[
                subject_cell(run),
                h.span(".sw-under")[f"{run.flow_name}, version {run.version}"],
                h.span(".sw-under")[run.client] if run.client else None,
            ],
            run_badge(run),
            h.div[step_words(run), h.span(".sw-under.sw-clip")[says] if says else None],
            moment(run.created_at),
            moment(run.finished_at) if run.finished_at else "–",
            _over_its_flow(run),
        ),
        href=f"{RUNS}/{run.id}",
        id_=f"run-{run.id}",
        marked=run.trouble in NEEDS_A_PERSON,
        linked=len(box),
    )


def _over_its_flow(run: RunRow) -> h.Element:
    return h.a(
        ".btn.btn-quiet.btn-square",
        href=overlay_url(run.id),
        title="Over its flow",
        aria_label=f"The run for {subject_words(run)} over its flow",
    )[icon("workflow")]


def _box(run: RunRow) -> h.Element:
    return h.label(".sw-pick")[
        h.input(
            type="checkbox",
            name=RUN,
            value=str(run.id),
            form=MANY,
            id=f"pick-{run.id}",
            class_="form-check-input",
            aria_label=f"Choose the run for {subject_words(run)}",
        )
    ]


def cancel_many_page(
    runs: Sequence[RunRow], form: Form, *, back: str, frame: PageFrame
) -> h.Element:
    """Return the decision to cancel several runs."""
    return decide_page(
        f"Cancel {len(runs)} runs" if len(runs) != 1 else "Cancel this run",
        [hidden_field(RUN, str(run.id)) for run in runs],
        hidden_field("back", back),
        about=[
            h.p["No further step of these is begun, and what they did is undone:"],
            h.ul[[h.li[f"{subject_words(run)} ({run.flow_name})"] for run in runs]],
            h.p["Orders stay paid; cancel and refund them on their own pages."],
        ],
        form=form,
        action=f"{RUNS}/cancel",
        confirm="Cancel them" if len(runs) != 1 else "Cancel the run",
        weight="danger",
        back=("Runs", back),
        frame=frame,
        active="runs",
    )
