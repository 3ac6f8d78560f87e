"""Put copies of nodes and notes beside them, with the edges among them."""

from typing import Any

import msgspec

from app.flows.drafts.errors import NoSuchNode
from app.flows.drafts.kinds.paste import Scrap, put
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Duplicate"


class Payload(msgspec.Struct, frozen=True):
    nodes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:
    for node in payload.nodes:
        if node not in sheet.nodes:
            raise NoSuchNode(node)
    held = sheet.notes()
    notes = [held[note] for note in payload.notes if note in held]
    if not payload.nodes and not notes:
        return {}
    scrap = cut(sheet, payload.nodes)
    return put(sheet, scrap, notes, stamp)


def cut(sheet: Sheet, nodes: tuple[str, ...]) -> Scrap:
    """Return a part of a document, as copying it puts it on the clipboard."""
    return Scrap(
        {node: sheet.nodes[node] for node in nodes if node in sheet.nodes},
        sheet.document.edges,
        {node: sheet.document.ui.get(node, {}) for node in nodes},
    )
