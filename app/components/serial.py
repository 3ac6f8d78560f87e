"""The serial line of a server in the browser; `serial.js` opens it by xterm.js."""

import htpy as h

from app.components.assets import asset_url
from app.components.button import button
from app.components.card import card


def serial_card(*, tickets: str, csrf: str) -> h.Fragment:
    """Return the terminal and its buttons; `tickets` is the address that gives a ticket for it."""
    return h.fragment[
        h.link(rel="stylesheet", href=asset_url("xterm.css")),
        card(
            h.div(
                ".sw-serial",
                data_serial=tickets,
                data_csrf=csrf,
                data_xterm=asset_url("xterm.js"),
            )[
                h.div(".sw-actions")[
                    button(
                        "Open the console",
                        weight="primary",
                        symbol="square-terminal",
                        attrs={"data-serial-open": True},
                    ),
                    button("Take it over", attrs={"data-serial-take": True, "hidden": True}),
                    button("Close", attrs={"data-serial-close": True, "hidden": True}),
                    h.span(".sw-console-state", role="status", data_serial_state=True)[
                        "It is not open."
                    ],
                ],
                h.div(
                    ".sw-serial-screen",
                    data_serial_screen=True,
                    role="group",
                    aria_label="Serial console; while focused, what you type goes to the server",
                ),
            ],
            h.p(".sw-help")[
                "The server's serial port, 80 by 25 characters. It shows what the server says from "
                "now on: press Enter for its prompt. Each opening is kept in the audit trail."
            ],
        ),
        h.script(src=asset_url("serial.js"), defer=True),
    ]
