"""By what a dry run goes: what is pinned or made up, a recorded run, or an input that is typed."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.input_form import input_labels, inputs_form
from app.components.button import submit_button
from app.components.designer.names import draft_url
from app.components.form import Form, form_element
from app.flows.drafts.try_out import trigger_pinned
from app.flows.drafts.views import DraftView
from app.flows.typed_input import InputField
from app.flows.views import RunRow


def trial_form(
    view: DraftView,
    form: Form,
    runs: Sequence[RunRow],
    sample: str,
    fields: Sequence[InputField] = (),
) -> h.Element:
    """Return the form for the dialog; `sample` is an input that fits, as JSON.

    `fields` are those of an input of one's own, where the flow says what it takes.
    """
    url = draft_url(view.id, "/trial")
    chosen = form.value("by", "sample")
    pinned = trigger_pinned(view.sheet)
    return h.div(".fl-publish")[
        h.h2("#sheet-title.sw-dialog-title")["Dry run"],
        h.p(".sw-dialog-text")[
            "The draft is run in memory, as it stands. Nothing real is touched: what has an effect "
            "is answered by what is pinned, recorded, or made up."
        ],
        form_element(
            form,
            url,
            h.fieldset(".fl-choices")[
                h.legend(".sw-label")["It begins with"],
                _radio(
                    "sample",
                    "the sample pinned to the trigger" if pinned else "made-up data that fits",
                    chosen,
                ),
                _radio("run", "a recorded run", chosen, disabled=not runs),
                h.select(".form-select", name="run", aria_label="Recorded run")[
                    [
                        h.option(value=str(run.id), selected=str(run.id) == form.value("run"))[
                            _run_words(run)
                        ]
                        for run in runs
                    ]
                ]
                if runs
                else h.p(".sw-help")["No run of this flow is recorded yet."],
                _radio("text", "an input of my own", chosen),
                inputs_form(form, fields, url) if fields else _as_json(form, sample),
            ],
            h.div(".sw-actions.is-end")[
                h.button(type="button", class_="btn btn-outline", data_dialog_close=True)["Cancel"],
                submit_button("Run dry", busy="Running…"),
            ],
            labels={"text": "Input", **input_labels(fields)},
            attrs={"hx-post": url, "hx-target": "#trial", "hx-swap": "outerHTML"},
        ),
    ]


def _as_json(form: Form, sample: str) -> h.Fragment:
    wrong = form.errors.get("text", "")
    return h.fragment[
        h.textarea(
            "#trial-text.form-control.sw-mono.fl-grow",
            name="text",
            rows=5,
            spellcheck="false",
            aria_label="Input, as JSON",
            aria_invalid="true" if wrong else None,
            aria_describedby="trial-text-wrong",
        )[form.value("text", sample)],
        h.p("#trial-text-wrong.fl-wrong")[wrong],
    ]


def _radio(value: str, label: str, chosen: str, *, disabled: bool = False) -> h.Element:
    return h.label(".fl-choice")[
        h.input(
            type="radio", name="by", value=value, checked=value == chosen, disabled=disabled,
            autofocus=value == chosen,
        ),
        label,
    ]  # fmt: skip


def _run_words(run: RunRow) -> str:
    about = run.order_number or run.hostname or str(run.id)[-8:]
    return f"{run.created_at:%d %b %H:%M}, {about}: {run.status}"
