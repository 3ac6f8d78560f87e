"""The cheat sheet: every gesture with its key, as `?` shows it."""

import htpy as h

from app.components.button import icon_button

KEYS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "Draw",
        (
            ("/ or Ctrl K", "Add a node; it is connected to the selected one"),
            ("C", "Connect from the selected node, or lead the selected edge elsewhere"),
            ("C again", "Take the next port"),
            ("Enter", "Go to the form of the selected node"),
            ("F2", "Rename"),
            ("Ctrl D", "Duplicate"),
            ("Ctrl C, Ctrl X, Ctrl V", "Copy, cut and paste, also between windows"),
            ("Delete", "Delete what is selected"),
            ("N, M", "Add a sticky note; go to the next one"),
            ("L", "Arrange all, or what is selected"),
            ("Ctrl Z, Ctrl Shift Z", "Undo and redo what you did"),
        ),
    ),
    (
        "Move about",
        (
            ("→ and ←", "Follow an edge forth and back"),
            ("↑ and ↓", "Go to the node above or below"),
            ("Alt and arrows", "Move what is selected by a step"),
            ("Shift and click, or drag", "Select several"),
            ("Ctrl A, Esc", "Select all, none"),
            ("O", "List of all nodes"),
            ("E", "Select the next edge of the node"),
        ),
    ),
    (
        "Try",
        (
            ("T", "Dry run: what the flow would do"),
            ("R", "Run the selected node alone, dry"),
            ("U", "Run until the selected node, dry"),
            ("Esc", "Take the trial away, when nothing is selected"),
        ),
    ),
    (
        "Look",
        (
            ("+, -, 0", "Zoom in, out, to full size"),
            ("1", "Show the whole flow"),
            ("Space and drag, wheel", "Pan; Ctrl and wheel zooms"),
            ("Ctrl and arrows", "Pan"),
            ("Alt while dragging", "Leave the grid"),
            ("?", "This list"),
        ),
    ),
)


def cheat_sheet() -> h.Element:
    return h.dialog("#keys.sw-dialog.fl-keys", aria_labelledby="keys-title")[
        h.div(".fl-keys-head")[
            h.h2("#keys-title.sw-dialog-title")["Keys"],
            icon_button("x", "Close", attrs={"data-dialog-close": True}),
        ],
        h.div(".fl-keys-groups")[
            [
                h.section[
                    h.h3[group],
                    h.dl[[h.div[h.dt[h.kbd[keys]], h.dd[words]] for keys, words in entries]],
                ]
                for group, entries in KEYS
            ]
        ],
    ]
