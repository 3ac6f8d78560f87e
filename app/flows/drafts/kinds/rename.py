"""Give a node a name; its id stays, so that expressions go on finding it."""

from typing import Any

import msgspec

from app.flows.drafts.errors import NoSuchNode
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Rename"
LONGEST = 80


class Payload(msgspec.Struct, frozen=True):
    node: str
    name: str


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    return {(payload.node, "name"): payload.name.strip()[:LONGEST] or None}
