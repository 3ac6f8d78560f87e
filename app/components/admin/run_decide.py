"""What a person says about a step: other input, what became of it, yes or no."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.attempts import json_block
from app.components.admin.decide import decide_page
from app.components.admin.run_bits import RUNS, subject_words
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.choice import Option, radio_cards, select_field
from app.components.facts import code, facts
from app.components.form import Form, form_element, hidden_field, textarea_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.flows.edits import HaltedStep, Way
from app.flows.sheet import Stand
from app.flows.views import AttemptView, RunRow

SCOPE, NODE = "scope", "node"
VERSION = "version"
HAPPENED, OUTPUT = "happened", "output"
NOTE, DECISION = "note", "decision"


def resume_page(
    run: RunRow,
    halted: Sequence[HaltedStep],
    ways: Sequence[Way],
    form: Form,
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the form that resumes a halted run with other parameters, or another version."""
    own = next((str(way.id) for way in ways if way.is_own), "")
    here = f"{RUNS}/{run.id}"
    return _page(
        "Resume with other input",
        [
            h.p["Finished steps are not done again. Expressions begin with =, as in the flow."],
            form_element(
                form,
                f"{here}/resume",
                [
                    textarea_field(
                        form,
                        step.field,
                        f"Parameters of “{step.step}”",
                        value=step.text,
                        rows=min(max(step.text.count("\n") + 2, 4), 24),
                        mono=True,
                        help_=[f"{step.type}: ", step.error] if step.error else step.type,
                    )
                    for step in halted
                ],
                select_field(
                    form,
                    VERSION,
                    "Go on with",
                    [Option(value=str(way.id), label=_way_words(way)) for way in ways],
                    value=own,
                    help_="Another version must have the steps at which the run stands.",
                ),
                h.div(".sw-actions")[
                    submit_button("Resume", busy="Resuming…", symbol="play"),
                    link_button("Keep it as it is", here, weight="quiet"),
                ],
                labels={VERSION: "Go on with", **{one.field: one.step for one in halted}},
            ),
        ],
        run,
        frame=frame,
    )


def _way_words(way: Way) -> str:
    words = f"Version {way.number}"
    if way.is_own:
        return f"{words}, as until now"
    return f"{words}: {way.note}" if way.note else words


def settle_page(
    run: RunRow, stand: Stand, last: AttemptView | None, form: Form, *, frame: PageFrame
) -> h.Element:
    """Return the form that says what became of a step."""
    here = f"{RUNS}/{run.id}"
    about: list[h.Node] = [
        h.p[
            f"“{stand.step}” was under way when its worker was lost, and the other side cannot "
            "be asked. Find out there whether it happened."
        ]
    ]
    if last is not None:
        pairs: list[tuple[str, h.Node]] = [
            ("Key it was sent with", code(f"{run.id}:{stand.scope}:{stand.node}")),
            ("Begun", last.started_at.isoformat(sep=" ", timespec="seconds")),
            ("Attempt", str(last.attempt)),
        ]
        about.append(facts(pairs))
        if last.input:
            about.append(json_block(last.input, f"Input of {stand.step}", title="Input"))
    return _page(
        f"What became of “{stand.step}”?",
        [
            about,
            form_element(
                form,
                f"{here}/settle",
                hidden_field(SCOPE, stand.scope),
                hidden_field(NODE, stand.node),
                radio_cards(
                    form,
                    HAPPENED,
                    "What happened",
                    [
                        Option(
                            value="yes",
                            label="It happened",
                            detail="It counts as done, with the output below; the run goes on.",
                        ),
                        Option(
                            value="no",
                            label="It did not happen",
                            detail="It is done again, as a new attempt.",
                        ),
                    ],
                ),
                textarea_field(
                    form,
                    OUTPUT,
                    "Output",
                    rows=6,
                    mono=True,
                    optional=True,
                    help_="What it gave, as JSON: later steps may refer to it.",
                ),
                h.div(".sw-actions")[
                    submit_button("Say so", symbol="check"),
                    link_button("I do not know yet", here, weight="quiet"),
                ],
                labels={HAPPENED: "What happened", OUTPUT: "Output"},
            ),
        ],
        run,
        frame=frame,
    )


def approval_page(run: RunRow, stand: Stand, form: Form, *, frame: PageFrame) -> h.Element:
    """Return the question of an approval with its two answers."""
    asks = stand.asks or {}
    return _page(
        str(asks.get("title") or f"“{stand.step}” waits for a decision"),
        [
            h.p(".sw-why")[str(asks["text"])] if asks.get("text") else None,
            form_element(
                form,
                f"{RUNS}/{run.id}/decide",
                hidden_field(SCOPE, stand.scope),
                hidden_field(NODE, stand.node),
                textarea_field(
                    form,
                    NOTE,
                    "Note",
                    rows=3,
                    optional=True,
                    help_="Goes on with the decision, and into the audit trail.",
                ),
                h.div(".sw-actions")[
                    submit_button("Approve", symbol="check", name=DECISION, value="approved"),
                    submit_button(
                        "Reject", weight="danger", symbol="x", name=DECISION, value="rejected"
                    ),
                    link_button("Not now", f"{RUNS}/{run.id}", weight="quiet"),
                ],
                labels={NOTE: "Note"},
            ),
        ],
        run,
        frame=frame,
    )


def _page(title: str, body: h.Node, run: RunRow, *, frame: PageFrame) -> h.Element:
    return admin_page(
        title,
        page_head(
            title,
            eyebrow=h.a(href=f"{RUNS}/{run.id}")["Run"],
            lede=f"{run.flow_name} for {subject_words(run)}",
        ),
        h.div(".sw-decide.sw-decide-wide")[card(h.div(".sw-decide-body")[body])],
        frame=frame,
        active="runs",
    )


def cancel_run_page(
    run: RunRow, undone: Sequence[str], form: Form, *, frame: PageFrame
) -> h.Element:
    """Return the decision to cancel a run; `undone` are the steps that it has done."""
    return decide_page(
        "Cancel this run",
        about=[
            h.p[f"{run.flow_name} for {subject_words(run)}."],
            h.ul[
                h.li["No further step is begun."],
                h.li["What was done is undone, the latest first: ", ", ".join(undone), "."]
                if undone
                else None,
                h.li["The order itself stays paid; cancel and refund it on its own page."]
                if run.order_id
                else None,
            ],
        ],
        form=form,
        action=f"{RUNS}/{run.id}/cancel",
        confirm="Cancel the run",
        weight="danger",
        back=("Run", f"{RUNS}/{run.id}"),
        frame=frame,
        active="runs",
    )
