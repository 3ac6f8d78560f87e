"""Completion and preview of an expression in a draft, against the sample data pinned to it."""

from datetime import datetime

import msgspec

from app.flows.completion import Suggestion, complete
from app.flows.drafts.sheet import Sheet
from app.flows.preview import Preview, preview
from app.flows.sampling import sample_scope

MOST = 12


class Aid(msgspec.Struct, frozen=True):
    """What may follow at the cursor, and what the expression comes to; None while it is empty."""

    offers: tuple[Suggestion, ...]
    preview: Preview | None


def aid_with(sheet: Sheet, node: str, param: str, text: str, cursor: int, *, now: datetime) -> Aid:
    """Return aid for the expression `text`, without its `=`, of a node's parameter.

    What is not pinned is made up from the node types' outputs. Some 10 ms; bounded.
    """
    whole = f"={text}"
    found = complete(sheet.document, node, param, whole, cursor + 1, samples=sheet.pins)[:MOST]
    offers = tuple(
        msgspec.structs.replace(one, start=one.start - 1, end=one.end - 1) for one in found
    )
    if not text.strip():
        return Aid(offers, None)
    sample = sample_scope(sheet.document, node, now=now, parameter=param, pinned=sheet.pins)
    return Aid(offers, preview(whole, sample.scope))
