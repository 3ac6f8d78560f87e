"""Set a parameter of a node, or a part of it, from what was typed into its form."""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.form import field_of
from app.flows.drafts.parts import Path, put
from app.flows.drafts.ports import ports_of, type_of
from app.flows.drafts.sheet import Cells, Sheet, edge_cell, port_of, source_of, write
from app.flows.drafts.typed import Mode, value_of

TITLE = "Set a parameter"


class Payload(msgspec.Struct, frozen=True):
    node: str
    param: str
    value: Any = None
    mode: Mode = "value"
    path: Path = ()
    """To the part of the parameter that is set; empty for all of it."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    value = value_of(payload.value, payload.mode)
    if payload.path:
        kind = type_of(sheet, payload.node)
        field = field_of(kind, payload.param) if kind else None
        if field is None:
            raise BadGesture(f"The parameter {payload.param} has no parts to set.")
        whole = sheet.nodes[payload.node].params.get(payload.param)
        value = put(field, whole, payload.path, value)
    return following(sheet, payload.node, payload.param, value)


def following(sheet: Sheet, node: str, param: str, value: Any) -> Cells:
    """Return the cell of a parameter, and of edges that follow a port which it renames."""
    cells = {(node, f"with.{param}"): value}
    kind = type_of(sheet, node)
    if kind is None or kind.ports_of is None:
        return cells
    before, after = ports_of(sheet, node), ports_of(write(sheet, cells), node)
    gone = [port for port in before if port not in after]
    new = [port for port in after if port not in before]
    if len(gone) == len(new) == 1:
        for edge in sheet.document.edges:
            if source_of(edge) == node and port_of(edge) == gone[0]:
                cells |= {edge_cell(edge): None, edge_cell((f"{node}.{new[0]}", edge[1])): True}
    return cells
