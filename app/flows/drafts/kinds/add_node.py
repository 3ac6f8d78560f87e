"""Add a node of a type: at a place, or behind the node that is selected, connected to it."""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.place import GAP_X, NODE_WIDTH, height_of, new_id
from app.flows.drafts.ports import ERROR, ports_of, scope_behind
from app.flows.drafts.room import free_place
from app.flows.drafts.sheet import Cells, Sheet, edge_cell
from app.flows.registry import node_types

TITLE = "Add a node"
START = (40, 120)


class Payload(msgspec.Struct, frozen=True):
    type: str
    x: float | None = None
    y: float | None = None
    behind: str | None = None
    """The node to connect from; left out when it stands alone."""
    port: str | None = None
    """Its port; the first one that leads nowhere when left out."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    versions = [kind for (name, _), kind in node_types().items() if name == payload.type]
    if not versions:
        raise BadGesture(f"No node type {payload.type} is installed.")
    kind = max(versions, key=lambda each: each.version)
    if payload.behind is not None and payload.behind not in sheet.nodes:
        raise NoSuchNode(payload.behind)
    node = new_id(payload.type.rpartition(".")[2], sheet.nodes)
    behind = payload.behind if kind.trigger is None else None
    spec: dict[str, Any] = {"type": kind.name, "v": kind.version}
    cells: dict[tuple[str, str], Any] = {}
    x, y = payload.x, payload.y
    if behind is not None:
        port = payload.port or _free_port(sheet, behind)
        if port not in ports_of(sheet, behind):
            raise BadGesture(f"{behind} has no port {port}.")
        if (within := scope_behind(sheet, behind, port)) is not None:
            spec["within"] = within
        cells[edge_cell((f"{behind}.{port}", f"{node}.in"))] = True
        at = sheet.position(behind)
        if x is None and at is not None:
            x, y = at[0] + NODE_WIDTH + GAP_X, at[1]
    left, top = free_place(
        sheet,
        START[0] if x is None else x,
        START[1] if y is None else y,
        height=height_of(len(kind.all_ports({})) + 1),
        is_behind=behind is not None,
    )
    cells[node, ""] = {"spec": spec, "ui": {"x": left, "y": top}}
    return cells


def _free_port(sheet: Sheet, node: str) -> str:
    """Return the first port that leads nowhere; never `error`, which is for what goes wrong."""
    ports = ports_of(sheet, node)
    used = {start for start, _ in sheet.document.edges}
    free = (port for port in ports if port != ERROR and f"{node}.{port}" not in used)
    return next(free, ports[0])
