"""One run as a time line: every attempt with what went in, came out or went wrong."""

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import htpy as h

from app.components.admin.attempts import attempt_item, json_block, scope_words
from app.components.admin.decide import decide_page
from app.components.admin.run_bits import (
    RUNS,
    length_ms,
    retry_form,
    run_badge,
    subject_words,
    why_words,
)
from app.components.admin.trail import trail_card
from app.components.badge import state_badge
from app.components.button import link_button
from app.components.card import card, split, stack
from app.components.empty import empty
from app.components.facts import code, facts
from app.components.form import Form
from app.components.frame import PageFrame
from app.components.live import live_region
from app.components.notice import notice
from app.components.page import admin_page, page_head
from app.components.time import duration_text, elapsed, moment
from app.domain.audit.views import AuditLine
from app.flows.views import EventView, RunView, Trouble


@dataclass(frozen=True, slots=True, kw_only=True)
class RunFile:
    """A run and what its viewer may do to it; `trail` is None where it may not be seen."""

    at: datetime
    run: RunView
    trail: tuple[AuditLine, ...] | None
    may_change: bool


def run_page(file: RunFile, *, frame: PageFrame) -> h.Element:
    title = f"Run for {subject_words(file.run.row)}"
    return admin_page(title, run_region(file, frame.csrf), frame=frame, active="runs")


def run_region(file: RunFile, csrf: str) -> h.Element:
    """Return the whole page but its frame."""
    run, row = file.run, file.run.row
    topics = f"run:{row.id}" + (f" order:{row.order_id}" if row.order_id else "")
    return live_region(topics, f"{RUNS}/{row.id}/now", id_="run", at_most_every_ms=500)[
        page_head(
            subject_words(row),
            eyebrow=h.a(href=RUNS)["Runs"],
            status=run_badge(row),
            lede=f"{row.flow_name}, version {row.version}",
            actions=_actions(file, csrf),
        ),
        stack(
            _trouble(file),
            split(
                stack(_steps(file), trail_card(file.trail) if file.trail is not None else None),
                stack(_facts(file), _given(run.input), _story(run.events)),
            ),
        ),
    ]


def _actions(file: RunFile, csrf: str) -> list[h.Node]:
    row = file.run.row
    found: list[h.Node] = []
    if row.order_id:
        found.append(
            link_button("Order", f"/admin/orders/{row.order_id}", symbol="package", weight="quiet")
        )
    if not file.may_change:
        return found
    if row.trouble is Trouble.halted:
        found.append(retry_form(row, csrf, back=f"{RUNS}/{row.id}", label=f"Retry “{row.step}”"))
    if row.is_live and not row.cancel_requested:
        found.append(link_button("Cancel run", f"{RUNS}/{row.id}/cancel", symbol="ban"))
    return found


def _trouble(file: RunFile) -> h.Element | None:
    row = file.run.row
    if row.trouble in {Trouble.halted, Trouble.undo_fails}:
        title = f"Halted at “{row.step}”" if row.trouble is Trouble.halted else "Undoing it fails"
        return notice("danger", title, why_words(row, file.at))
    if row.trouble is not Trouble.none:
        waits = row.trouble is Trouble.waits_for_stock
        title = "Waits for a server" if waits else f"“{row.step}” is tried again"
        return notice("warning", title, why_words(row, file.at))
    if row.error and not row.is_live:
        return notice("danger", "It ended with an error", row.error)
    return None


def _facts(file: RunFile) -> h.Element:
    row = file.run.row
    spent = (row.finished_at or file.at) - row.created_at
    counter = elapsed(length_ms(spent)) if row.is_live else duration_text(length_ms(spent))
    pairs: list[tuple[str, h.Node]] = [
        ("State", run_badge(row)),
        ("Begun", moment(row.created_at)),
        ("Ended", moment(row.finished_at) if row.finished_at else "not yet"),
        ("Taken", counter),
        ("Attempts", str(len(file.run.attempts))),
        ("Run", code(str(row.id))),
    ]
    return card(facts(pairs), title="Run", symbol="workflow")


def _given(given: Any) -> h.Element | None:
    if not given:
        return None
    return card(json_block(given, "Input of the run"), title="Input", symbol="log-in")


def _steps(file: RunFile) -> h.Element:
    """Return the attempts, a heading for each scope that they pass through."""
    attempts = file.run.attempts
    body: h.Node
    if attempts:
        body = [
            [
                h.h3(".sw-scope")[scope_words(scope, attempts)] if scope != "/" else None,
                h.ol(".sw-timeline.sw-attempts", aria_label=scope_words(scope, attempts))[
                    [attempt_item(one, file.at) for one in group]
                ],
            ]
            for scope, group in groupby(attempts, key=lambda one: one.scope)
        ]
    else:
        body = empty("hourglass", "Not begun", "A worker takes it as soon as one is free.")
    pending = (
        h.p(".sw-quiet.sw-pending")["Still to come: ", ", ".join(file.run.pending)]
        if file.run.pending and file.run.row.is_live
        else None
    )
    more = (
        h.p(".sw-quiet.sw-pending")["Only the latest attempts and events are shown."]
        if file.run.more
        else None
    )
    return card(body, pending, more, title="Steps", symbol="activity")


def _story(events: tuple[EventView, ...]) -> h.Element | None:
    if not events:
        return None
    return card(
        h.ol(".sw-trail.sw-story")[[_event(event) for event in events]],
        title="Events",
        symbol="list",
    )


def _event(event: EventView) -> h.Element:
    says = event.facts.get("says") or event.facts.get("error")
    return h.li[
        h.div(".sw-trail-head")[
            h.span(".sw-trail-action")[
                event.kind.capitalize(), f": {event.step}" if event.step else None
            ],
            h.time(
                datetime=event.at.isoformat(timespec="milliseconds"),
                title=event.at.isoformat(timespec="milliseconds"),
                class_="sw-time sw-quiet",
            )[event.at.strftime("%H:%M:%S")],
        ],
        h.p(".sw-trail-who")[says] if says else None,
    ]


def cancel_run_page(run: RunView, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the decision to cancel a run."""
    row = run.row
    undone = [one.step for one in run.attempts if one.status in {"succeeded", "started", "waiting"}]
    return decide_page(
        "Cancel this run",
        about=[
            h.p[
                state_badge(row.status),
                f" {row.flow_name} for {subject_words(row)}.",
            ],
            h.ul[
                h.li["No further step is begun."],
                h.li[
                    "What was done is undone, the latest first: ",
                    ", ".join(dict.fromkeys(undone)),
                    ".",
                ]
                if undone
                else None,
                h.li["The order itself stays paid; cancel and refund it on its own page."]
                if row.order_id
                else None,
            ],
        ],
        form=form,
        action=f"{RUNS}/{row.id}/cancel",
        confirm="Cancel the run",
        weight="danger",
        back=("Run", f"{RUNS}/{row.id}"),
        frame=frame,
        active="runs",
    )
