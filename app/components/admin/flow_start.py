"""Start a flow by hand: what it is about, and its input."""

from collections.abc import Sequence

import htpy as h

from app.components.admin.flow_bits import FLOWS
from app.components.admin.input_form import input_labels, inputs_form
from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.form import Form, form_element, hidden_field, text_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head
from app.flows.about import ABOUT, SubjectRow
from app.flows.flow_views import FlowRow
from app.flows.node import Subject
from app.flows.typed_input import InputField

ONCE, VERSION = "once", "version"
SUBJECTS = "subjects"


def start_page(
    flow: FlowRow,
    gives: Subject,
    fields: Sequence[InputField],
    subjects: Sequence[SubjectRow],
    form: Form,
    *,
    frame: PageFrame,
) -> h.Element:
    """Return the form; `once` in its values keeps a form that is sent twice to one run."""
    where = f"{FLOWS}/{flow.slug}"
    title = f"Run {flow.name} now"
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=where)[flow.name]),
        h.div(".sw-decide")[
            card(
                h.div(".sw-decide-about")[
                    h.p[f"A run of version {flow.version} begins at once, with your name on it."]
                ],
                form_element(
                    form,
                    f"{where}/start",
                    hidden_field(ONCE, form.value(ONCE)),
                    hidden_field(VERSION, form.value(VERSION)),
                    _about(form, gives, subjects, where) if gives is not Subject.NOTHING else None,
                    inputs_form(form, fields, f"{where}/start"),
                    h.div(".sw-actions")[
                        submit_button("Run now", busy="Starting…", symbol="play"),
                        link_button("Leave it", where, weight="quiet"),
                    ],
                    labels={ABOUT: gives.value.capitalize(), **input_labels(fields)},
                ),
            )
        ],
        frame=frame,
        active="flows",
    )


def _about(form: Form, gives: Subject, subjects: Sequence[SubjectRow], where: str) -> h.Node:
    return [
        text_field(
            form,
            ABOUT,
            gives.value.capitalize(),
            help_="Its order's number, a part of the host name, the client's address, or its id.",
            autocomplete="off",
            attrs={
                "list": SUBJECTS,
                "hx-get": f"{where}/subjects",
                "hx-trigger": "input changed delay:300ms",
                "hx-target": f"#{SUBJECTS}",
                "hx-swap": "outerHTML",
            },
        ),
        subject_list(subjects),
    ]


def subject_list(subjects: Sequence[SubjectRow]) -> h.Element:
    """Return what the field of the subject offers to choose from."""
    return h.datalist(id=SUBJECTS)[[h.option(value=one.words)[one.detail] for one in subjects]]
