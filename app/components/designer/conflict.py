"""Two people changed the same: both values, and the choice."""

from typing import Any

import htpy as h

from app.components.icon import icon
from app.flows.drafts.errors import Clash, Stale, UndoClash
from app.flows.drafts.form import written
from app.flows.drafts.ports import title
from app.flows.drafts.sheet import Cell, Sheet
from app.flows.drafts.views import DraftView

SHOWN = 5
_FIELDS = {
    "name": "name",
    "position": "place",
    "within": "container",
    "": "node",
    "pin": "sample data",
}


def stale_words(view: DraftView, stale: Stale) -> h.Element:
    """Return what both wrote; when mine is chosen, our js sends it again as of this revision."""
    sheet = view.sheet
    return h.div(".fl-conflict")[
        h.h2("#conflict-title.sw-dialog-title")["Someone was faster"],
        h.p(".sw-dialog-text")[stale.message],
        [_both(sheet, clash) for clash in stale.clashes[:SHOWN]],
        h.p(".sw-quiet")[f"and {len(stale.clashes) - SHOWN} more"]
        if len(stale.clashes) > SHOWN
        else None,
        h.div(".sw-actions.is-end")[
            h.button(
                type="button", class_="btn btn-outline", data_resolve="mine", data_rev=view.rev
            )["Use mine"],
            h.button(
                type="button", class_="btn btn-primary", data_resolve="theirs", autofocus=True
            )["Keep theirs"],
        ],
    ]


def undo_words(clash: UndoClash) -> h.Element:
    """Return why a gesture cannot be taken back, and the way past it."""
    return h.div(".fl-conflict")[
        h.h2("#conflict-title.sw-dialog-title")["This cannot be undone"],
        h.p(".sw-dialog-text")[clash.message],
        h.p(".sw-dialog-text")[
            "It can be passed over, so that what you did before it can be undone."
        ],
        h.div(".sw-actions.is-end")[
            h.button(
                type="button", class_="btn btn-outline", data_resolve="skip", data_rev=clash.rev
            )["Pass over it"],
            h.button(
                type="button", class_="btn btn-primary", data_resolve="theirs", autofocus=True
            )["Leave it"],
        ],
    ]


def _both(sheet: Sheet, clash: Clash) -> h.Element:
    return h.section(".fl-both")[
        h.h3[_where(sheet, clash.cell)],
        h.dl[
            h.div[
                h.dt[icon("user"), clash.by or "Someone"], h.dd[_shown(clash.cell, clash.theirs)]
            ],
            h.div[h.dt[icon("pencil"), "You"], h.dd[_shown(clash.cell, clash.mine)]],
        ],
    ]


def _where(sheet: Sheet, cell: Cell) -> str:
    node, field = cell
    if field.startswith("edge:"):
        return f"Edge from {title(sheet, node)}"
    if node == "":
        return "Sticky note" if field.startswith("note:") else f"The flow’s {field}"
    word = _FIELDS.get(field, field.removeprefix("with.").removeprefix("comment:"))
    return f"{title(sheet, node)}: {word}"


def _shown(cell: Cell, value: Any) -> str:
    if value is None:
        return "taken away" if cell[1] == "" or cell[1].startswith("edge:") else "left empty"
    if value is True and cell[1].startswith("edge:"):
        return "drawn"
    if cell[1] == "":
        return "changed"
    if cell[1] == "position":
        return f"{value[0]}, {value[1]}"
    return written(value)
