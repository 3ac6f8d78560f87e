"""Forms on a page of their own, for things that are written down rather than decided."""

from collections.abc import Mapping

import htpy as h

from app.components.button import link_button, submit_button
from app.components.card import card
from app.components.form import Form, form_element
from app.components.frame import PageFrame
from app.components.page import admin_page, page_head


def entry_page(
    title: str,
    *fields: h.Node,
    form: Form,
    action: str,
    confirm: str,
    back: tuple[str, str],
    frame: PageFrame,
    active: str,
    labels: Mapping[str, str],
    lede: h.Node = None,
    attrs: Mapping[str, h.Attribute] | None = None,
    busy: str = "Writing…",
    leave: str = "Leave it",
) -> h.Element:
    """Return the page of one form; `back` is (words, address), `labels` names the fields.

    `leave` is what leads back without a change.
    """
    return admin_page(
        title,
        page_head(title, eyebrow=h.a(href=back[1])[back[0]], lede=lede),
        h.div(".sw-decide.sw-decide-wide")[
            card(
                form_element(
                    form,
                    action,
                    fields,
                    h.div(".sw-actions")[
                        submit_button(confirm, busy=busy),
                        link_button(leave, back[1], weight="quiet"),
                    ],
                    labels=labels,
                    attrs=attrs,
                )
            )
        ],
        frame=frame,
        active=active,
    )


def pair(*fields: h.Node) -> h.Element:
    """Return short fields side by side where there is room for them."""
    return h.div(".sw-field-row")[fields]
