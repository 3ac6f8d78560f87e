"""Delete nodes with their edges, notes and edges; a container's body moves out of it."""

from typing import Any

import msgspec

from app.flows.drafts.sheet import Cells, Edge, Sheet, edge_cell, source_of, target_of

TITLE = "Delete"


class Payload(msgspec.Struct, frozen=True):
    nodes: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    edges: tuple[Edge, ...] = ()


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    """Pass over what is gone already: two people deleting the same agree."""
    gone = {node for node in payload.nodes if node in sheet.nodes}
    cells: dict[tuple[str, str], Any] = {(node, ""): None for node in gone}
    for edge in sheet.document.edges:
        if edge in payload.edges or source_of(edge) in gone or target_of(edge) in gone:
            cells[edge_cell(edge)] = None
    for node, spec in sheet.nodes.items():
        if spec.within in gone and node not in gone:
            cells[node, "within"] = _outside(sheet, spec.within, gone)
    notes = sheet.notes()
    return cells | {("", f"note:{note}"): None for note in payload.notes if note in notes}


def _outside(sheet: Sheet, container: str | None, gone: set[str]) -> str | None:
    while container is not None and container in gone:
        container = sheet.nodes[container].within
    return container
