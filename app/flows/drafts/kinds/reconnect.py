"""Take an edge by one of its ends and lead it elsewhere."""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture
from app.flows.drafts.kinds import connect
from app.flows.drafts.sheet import Cells, Edge, Sheet, edge_cell, write

TITLE = "Reconnect"


class Payload(msgspec.Struct, frozen=True):
    edge: Edge
    node: str
    port: str
    to: str


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:
    if payload.edge not in sheet.document.edges:
        raise BadGesture("That edge is not there any more: someone took it away.")
    gone = {edge_cell(payload.edge): None}
    wish = connect.Payload(payload.node, payload.port, payload.to)
    return gone | dict(connect.plan(write(sheet, gone), wish, stamp))
