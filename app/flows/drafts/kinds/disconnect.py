"""Take edges away."""

from typing import Any

import msgspec

from app.flows.drafts.sheet import Cells, Edge, Sheet, edge_cell

TITLE = "Disconnect"


class Payload(msgspec.Struct, frozen=True):
    edges: tuple[Edge, ...]


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    return {edge_cell(edge): None for edge in payload.edges if edge in sheet.document.edges}
