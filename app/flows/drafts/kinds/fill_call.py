"""Fill a node that calls an API with a call that was described elsewhere.

What was pasted, which may hold credentials, is read before the gesture is kept
(`flows/described_call.py`): only what it came to is here.
"""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.form import fields_of
from app.flows.drafts.kinds.add_note import LONGEST
from app.flows.drafts.ports import type_of
from app.flows.drafts.sheet import Cell, Cells, Sheet

TITLE = "Fill in a call"
FILLED = ("url", "method", "query", "headers", "body", "body_as", "timeout_s")
"""Parameters that a description says all of: what it does not say is taken out."""


class Payload(msgspec.Struct, frozen=True):
    node: str
    params: dict[str, Any]
    notes: tuple[str, ...] = ()
    """What a person must still do; they become a comment on the node."""


def can_fill(sheet: Sheet, node: str) -> bool:
    """Return whether a node has the parameters of a call."""
    kind = type_of(sheet, node)
    return kind is not None and set(FILLED) <= {field.name for field in fields_of(kind)}


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    if not can_fill(sheet, payload.node) or not set(payload.params) <= set(FILLED):
        raise BadGesture("Only a node that calls an API can be filled with a call.")
    cells: dict[Cell, Any] = {
        (payload.node, f"with.{name}"): payload.params.get(name)
        for name in FILLED
        if name in payload.params or name in sheet.nodes[payload.node].params
    }
    if payload.notes:
        words = {"by": stamp.by, "at": stamp.at, "text": "\n".join(payload.notes)[:LONGEST]}
        cells[payload.node, f"comment:{stamp.seed}"] = words
    return cells
