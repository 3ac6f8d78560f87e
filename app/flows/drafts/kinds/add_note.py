"""Put a sticky note on the canvas."""

from typing import Any

import msgspec

from app.flows.drafts.place import snapped
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Add a note"
LONGEST = 4_000


class Payload(msgspec.Struct, frozen=True):
    x: float
    y: float
    text: str = ""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    note = {"x": snapped(payload.x), "y": snapped(payload.y), "text": payload.text[:LONGEST]}
    return {("", f"note:{stamp.seed}"): note}
