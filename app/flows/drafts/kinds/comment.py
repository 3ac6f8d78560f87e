"""Say something about a node to the other designers; it is no part of what runs."""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.kinds.add_note import LONGEST
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Comment"


class Payload(msgspec.Struct, frozen=True):
    node: str
    text: str


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    text = payload.text.strip()[:LONGEST]
    if not text:
        raise BadGesture("A comment needs words.")
    words = {"by": stamp.by, "at": stamp.at, "text": text}
    return {(payload.node, f"comment:{stamp.seed}"): words}
