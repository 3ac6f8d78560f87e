"""What every import from a file shows: the form of the file, and the rows to talk about."""

from collections.abc import Mapping, Sequence

import htpy as h

from app.components.badge import badge
from app.components.button import submit_button
from app.components.card import card
from app.components.form import Form, field_frame, form_element, hidden_field, textarea_field
from app.components.table import Column, Row, table
from app.components.tone import Tone
from app.core.sheets import SheetLine

FILE, DOCUMENT = "file", "document"
SHOWN = 50
"""Rows of a preview that are listed."""


def file_fields(form: Form, *, help_: str, placeholder: str) -> list[h.Element]:
    """Return the fields of a file, or of its content pasted."""
    file = h.input(
        form.wiring(FILE, help_=True),
        type="file",
        accept=".csv,.json,text/csv,application/json",
        class_="form-control",
    )
    return [
        field_frame(form, FILE, "File", file, help_=help_, optional=True),
        textarea_field(
            form,
            DOCUMENT,
            "Or its content",
            rows=8,
            mono=True,
            optional=True,
            placeholder=placeholder,
        ),
    ]


def sent_form(path: str, sent: Mapping[str, str], *, csrf: str, is_sound: bool) -> h.Element:
    """Return what can be done about a file that was looked at; what it says goes along.

    `is_sound`: it can be written. Changed or not, it is looked at as often as one likes.
    """
    change = submit_button(
        "Change it, or choose another file",
        busy="One moment…",
        weight="quiet" if is_sound else "plain",
        action=f"{path}/again",
    )
    return form_element(
        Form(csrf=csrf),
        f"{path}/confirm" if is_sound else f"{path}/again",
        [hidden_field(name, value) for name, value in sent.items()],
        h.div(".sw-actions")[
            submit_button("Take all of it in", busy="Writing…") if is_sound else None, change
        ],
    )


def lines_card(title: str, lines: Sequence[SheetLine], *, tone: Tone = "info") -> h.Element:
    """Return rows of a file with what is to be said of each; the first `SHOWN`."""
    more = len(lines) - SHOWN
    return card(
        table(
            (Column("Row", narrow=True), Column("What"), Column("Why")),
            [
                Row(
                    cells=(
                        badge(str(line.number), "danger" if line.fault else tone, dot=False),
                        h.span(".sw-mono")[line.text or "–"],
                        [h.div[words] for words in (line.fault or line.note).splitlines()],
                    )
                )
                for line in lines[:SHOWN]
            ],
            caption=title,
        ),
        title=title,
        flush=True,
        footer=f"And {more:,} more." if more > 0 else None,
    )
