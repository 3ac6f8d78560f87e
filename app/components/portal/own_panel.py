"""The provider's own panel: the way to it on a machine's page, and the page that leads there."""

import htpy as h

from app.components.button import submit_button
from app.components.card import card
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.page import page_head, portal_page
from app.domain.machines.own_panel import OwnPanel

LABEL = "Open the control panel"


def panel_way(panel: OwnPanel | None, *, csrf: str) -> h.Element | None:
    """Return the button that signs the client in, or a plain link; each opens a new tab."""
    if panel is None:
        return None
    if not panel.signs_on:
        return h.a(".btn.btn-outline", href=panel.url, target="_blank", rel="noreferrer noopener")[
            icon("external-link"), LABEL, h.span(".visually-hidden")[" (opens a new tab)"]
        ]
    return h.form(
        method="post",
        action=f"/services/{panel.ref.service}/panel",
        target="_blank",
        rel="noreferrer noopener",
    )[csrf_field(csrf), submit_button(LABEL, weight="plain", symbol="external-link")]


def going_page(hostname: str, url: str, *, frame: PageFrame) -> h.Element:
    """Return what is seen for a moment, with a link for browsers that do not go on."""
    return portal_page(
        "Control panel",
        page_head("Control panel", eyebrow=hostname),
        card(
            h.p["You are being signed in to the control panel of this machine."],
            h.p[
                h.a(href=url, rel="noreferrer")["Go on"], ": the link is good once, for you alone."
            ],
        ),
        frame=frame,
        active="services",
    )
