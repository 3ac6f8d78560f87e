"""Put nodes into a container, or take them out; edges that then cross its border are cut."""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.ports import scope_behind, title, type_of
from app.flows.drafts.sheet import Cells, Sheet, edge_cell, port_of, source_of, target_of, write

TITLE = "Put into a container"


class Payload(msgspec.Struct, frozen=True):
    nodes: tuple[str, ...]
    within: str | None = None
    """Left out or empty: they are taken out."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    for node in payload.nodes:
        if node not in sheet.nodes:
            raise NoSuchNode(node)
    container = payload.within or None
    if container is not None:
        _require_container(sheet, container, payload.nodes)
    cells: dict[tuple[str, str], Any] = {(node, "within"): container for node in payload.nodes}
    after = write(sheet, cells)
    for edge in sheet.document.edges:
        expected = scope_behind(after, source_of(edge), port_of(edge))
        if after.nodes[target_of(edge)].within != expected:
            cells[edge_cell(edge)] = None
    return cells


def _require_container(sheet: Sheet, container: str, nodes: tuple[str, ...]) -> None:
    if container not in sheet.nodes:
        raise NoSuchNode(container)
    kind = type_of(sheet, container)
    if kind is not None and not kind.container:
        raise BadGesture(f"{title(sheet, container)} is no container.")
    at: str | None = container
    while at is not None:
        if at in nodes:
            raise BadGesture("A container cannot stand inside itself.")
        at = sheet.nodes[at].within
