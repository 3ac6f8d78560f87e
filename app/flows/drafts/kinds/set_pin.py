"""Pin sample data to a node: what completion, previews and trial runs take for its output."""

from typing import Any

import msgspec

from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Pin sample data"
LARGEST = 64 * 1024


class Payload(msgspec.Struct, frozen=True):
    node: str
    text: str = ""
    """JSON; empty takes the pin away."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    text = payload.text.strip()
    if not text:
        return {(payload.node, "pin"): None}
    if len(text) > LARGEST:
        raise BadGesture("Sample data is at most 64 KB.")
    try:
        return {(payload.node, "pin"): {"value": msgspec.json.decode(text)}}
    except msgspec.DecodeError as error:
        raise BadGesture(f"The sample data is no JSON: {error}") from error
