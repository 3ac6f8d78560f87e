"""Move nodes and notes; the places are where they are dropped."""

from typing import Any

import msgspec

from app.flows.drafts.errors import NoSuchNode
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Move"
FARTHEST = 100_000


class Payload(msgspec.Struct, frozen=True):
    nodes: dict[str, tuple[float, float]] = {}
    notes: dict[str, tuple[float, float]] = {}


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    cells: dict[tuple[str, str], Any] = {}
    for node, place in payload.nodes.items():
        if node not in sheet.nodes:
            raise NoSuchNode(node)
        cells[node, "position"] = [_bounded(place[0]), _bounded(place[1])]
    notes = sheet.notes()
    for note, (x, y) in payload.notes.items():
        if note not in notes:
            raise NoSuchNode(note)
        held = {key: value for key, value in notes[note].items() if key != "id"}
        cells["", f"note:{note}"] = held | {"x": _bounded(x), "y": _bounded(y)}
    return cells


def _bounded(value: float) -> int:
    return round(max(-FARTHEST, min(FARTHEST, value)))
