"""Decisions: a page of its own for what a person does to a thing, with the reason for it."""

import htpy as h

from app.components.button import Weight, link_button, submit_button
from app.components.card import card
from app.components.form import Form, form_element, textarea_field
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head

REASON = "reason"


def decide_page(
    title: str,
    *fields: h.Node,
    about: h.Node,
    form: Form,
    action: str,
    confirm: str,
    back: tuple[str, str],
    frame: PageFrame,
    active: str,
    weight: Weight = "primary",
    reason_help: str = "Kept in the audit trail.",
    labels: dict[str, str] | None = None,
) -> h.Element:
    """Return the page of one decision; `about` says what will happen, `back` is (words, address).

    A refusal shows the same page with what was typed.
    """
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=back[1])[back[0]]),
        h.div(".sw-decide")[
            card(
                h.div(".sw-decide-about")[about],
                form_element(
                    form,
                    action,
                    fields,
                    textarea_field(form, REASON, "Reason", rows=3, help_=reason_help),
                    h.div(".sw-actions")[
                        submit_button(confirm, weight=weight),
                        link_button("Keep it as it is", back[1], weight="quiet"),
                    ],
                    labels={REASON: "Reason", **(labels or {})},
                ),
            )
        ],
        frame=frame,
        active=active,
    )
