"""Put all nodes, or some, in order: columns from left to right, few edges that cross."""

from typing import Any

import msgspec

from app.flows.drafts.arrange import arrange
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Arrange"


class Payload(msgspec.Struct, frozen=True):
    nodes: tuple[str, ...] = ()
    """All of them when empty."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    chosen = [node for node in payload.nodes if node in sheet.nodes] or list(sheet.nodes)
    return {(node, "position"): list(place) for node, place in arrange(sheet, chosen).items()}
