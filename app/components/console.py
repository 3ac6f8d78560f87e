"""The screen of a virtual machine in the browser; `console.js` opens it by noVNC."""

import htpy as h

from app.components.assets import asset_url
from app.components.button import button
from app.components.card import card


def console_card(*, tickets: str, csrf: str) -> h.Fragment:
    """Return the screen and its buttons; `tickets` is the address that gives a ticket for it."""
    return h.fragment[
        card(
            h.div(
                ".sw-console",
                data_console=tickets,
                data_csrf=csrf,
                data_novnc=asset_url("novnc.js"),
            )[
                h.div(".sw-actions")[
                    button(
                        "Open the screen",
                        weight="primary",
                        symbol="monitor",
                        attrs={"data-console-open": True},
                    ),
                    button("Ctrl + Alt + Del", attrs={"data-console-keys": True, "hidden": True}),
                    button(
                        "Full screen",
                        symbol="maximize",
                        attrs={"data-console-full": True, "hidden": True},
                    ),
                    h.span(".sw-console-state", role="status", data_console_state=True)[
                        "It is not open."
                    ],
                ],
                h.div(
                    ".sw-console-screen",
                    data_console_screen=True,
                    role="application",
                    aria_label="Screen of the machine; while focused, what you type goes there",
                ),
            ],
            h.p(".sw-help")[
                "Each opening is kept in the audit trail. The machine's own keyboard and mouse are "
                "yours while the screen is focused."
            ],
        ),
        h.script(src=asset_url("console.js"), defer=True),
    ]
