"""The cheat sheet: every gesture with its key, as `?` shows it and as our js reads it."""

from typing import NamedTuple

import htpy as h

from app.components.button import icon_button


class Key(NamedTuple):
    """One line of the cheat sheet; `chords` are what our js listens for, each with its deed."""

    keys: str
    words: str
    chords: str = ""


KEYS: tuple[tuple[str, tuple[Key, ...]], ...] = (
    (
        "Draw",
        (
            Key(
                "/ or Ctrl K",
                "Add a node; it is connected to the selected one",
                "/:drawer ctrl+k:drawer",
            ),
            Key(
                "C",
                "Connect from the selected node, or lead the selected edge elsewhere",
                "c:connect",
            ),
            Key("C again", "Take the next port"),
            Key("Enter", "Go to the form of the selected node", "Enter:form"),
            Key("F2", "Rename", "F2:rename"),
            Key("Ctrl D", "Duplicate", "ctrl+d:duplicate"),
            Key(
                "Ctrl C, Ctrl X, Ctrl V",
                "Copy, cut and paste, also between windows",
                "ctrl+c:copy ctrl+x:cut",
            ),
            Key("Delete", "Delete what is selected", "Delete:delete Backspace:delete"),
            Key("N, M", "Add a sticky note; go to the next one", "n:note m:next-note"),
            Key("L", "Arrange all, or what is selected", "l:arrange"),
            Key(
                "Ctrl Z, Ctrl Shift Z",
                "Undo and redo what you did",
                "ctrl+z:undo ctrl+shift+z:redo ctrl+y:redo",
            ),
        ),
    ),
    (
        "Move about",
        (
            Key("→ and ←", "Follow an edge forth and back"),
            Key("↑ and ↓", "Go to the node above or below"),
            Key("Alt and arrows", "Move what is selected by a step"),
            Key("Shift and click, or drag", "Select several"),
            Key("Ctrl A, Esc", "Select all, none", "ctrl+a:all Escape:none"),
            Key("O", "List of all nodes", "o:outline"),
            Key("E", "Select the next edge of the node", "e:edge"),
        ),
    ),
    (
        "Try",
        (
            Key("T", "Dry run: what the flow would do", "t:try"),
            Key("R", "Run the selected node alone, dry", "r:run-this"),
            Key("U", "Run until the selected node, dry", "u:run-here"),
            Key("Esc", "Take the trial away, when nothing is selected"),
        ),
    ),
    (
        "Look",
        (
            Key(
                "+, -, 0",
                "Zoom in, out, to full size",
                "+:zoom-in =:zoom-in -:zoom-out 0:zoom-full",
            ),
            Key("1", "Show the whole flow", "1:fit"),
            Key("Space and drag, wheel", "Pan; Ctrl and wheel zooms"),
            Key("Ctrl and arrows", "Pan"),
            Key("Alt while dragging", "Leave the grid"),
            Key("?", "This list", "?:keys"),
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
                    h.dl[
                        [
                            h.div(data_chords=key.chords or None)[
                                h.dt[h.kbd[key.keys]], h.dd[key.words]
                            ]
                            for key in entries
                        ]
                    ],
                ]
                for group, entries in KEYS
            ]
        ],
    ]
