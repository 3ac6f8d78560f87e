"""The way to the screen of a server's machine, and the page that leads there."""

import htpy as h

from app.components.admin.dcim import SERVERS
from app.components.button import submit_button
from app.components.card import card
from app.components.form import csrf_field
from app.components.frame import PageFrame
from app.components.icon import icon
from app.components.page import admin_page, page_head
from app.domain.inventory.screen import Screen

DEED = "screen"


def screen_way(screen: Screen, *, csrf: str) -> h.Element:
    """Return the button that opens the screen, or a plain link to sign in at; in a new tab."""
    if not screen.signs_on:
        return h.a(
            ".btn.btn-outline.btn-sm", href=screen.url, target="_blank", rel="noreferrer noopener"
        )[
            icon("external-link"),
            "Sign in at its BMC",
            h.span(".visually-hidden")[" (opens a new tab)"],
        ]
    return h.form(
        method="post",
        action=f"{SERVERS}/{screen.server}/{DEED}",
        target="_blank",
        rel="noreferrer noopener",
    )[
        csrf_field(csrf),
        submit_button("Open its screen", weight="plain", size="small", symbol="external-link"),
    ]


def going_page(screen: Screen, url: str, *, frame: PageFrame) -> h.Element:
    """Return what is seen for a moment, with a link for browsers that do not go on."""
    here = f"{SERVERS}/{screen.server}"
    return admin_page(
        f"Screen of {screen.server_name}",
        page_head("Screen", eyebrow=h.a(href=here)[screen.server_name]),
        card(
            h.p["You are being let in to this machine's screen at its BMC."],
            h.p[
                h.a(href=url, rel="noreferrer")["Go on"], ": the link is good once, for you alone."
            ],
        ),
        frame=frame,
        active="servers",
    )
