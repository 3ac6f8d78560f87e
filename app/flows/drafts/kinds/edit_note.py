"""Write on a sticky note, or change its size or colour."""

from typing import Any, Literal

import msgspec

from app.flows.drafts.errors import NoSuchNode
from app.flows.drafts.kinds.add_note import LONGEST
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Edit a note"
Tone = Literal["warning", "info", "success", "neutral"]


class Payload(msgspec.Struct, frozen=True):
    note: str
    text: str | None = None
    tone: Tone | None = None


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    held = sheet.notes().get(payload.note)
    if held is None:
        raise NoSuchNode(payload.note)
    note = {key: value for key, value in held.items() if key != "id"}
    if payload.text is not None:
        note["text"] = payload.text[:LONGEST]
    if payload.tone is not None:
        note["tone"] = payload.tone
    return {("", f"note:{payload.note}"): note}
