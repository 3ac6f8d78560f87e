"""Lead an edge from a port to a node, which moves into the container that the edge is in."""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture
from app.flows.drafts.ports import moved_in, require_edge, scope_behind, title
from app.flows.drafts.sheet import Cells, Sheet, edge_cell

TITLE = "Connect"


class Payload(msgspec.Struct, frozen=True):
    node: str
    port: str
    to: str


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    require_edge(sheet, payload.node, payload.port, payload.to)
    within = scope_behind(sheet, payload.node, payload.port)
    cells: dict[tuple[str, str], Any] = {
        edge_cell((f"{payload.node}.{payload.port}", f"{payload.to}.in")): True
    }
    moving = moved_in(sheet, payload.to, within)
    if not moving and sheet.nodes[payload.to].within != within:
        where = f"inside {title(sheet, within)}" if within else "outside of all containers"
        raise BadGesture(
            f"{title(sheet, payload.to)} does not stand {where}, where this edge would end."
        )
    return cells | {(node, "within"): within for node in moving}
