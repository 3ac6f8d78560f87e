"""Take a comment away: it is settled."""

from typing import Any

import msgspec

from app.flows.drafts.errors import NoSuchNode
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Settle a comment"


class Payload(msgspec.Struct, frozen=True):
    node: str
    comment: str


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    return {(payload.node, f"comment:{payload.comment}"): None}
