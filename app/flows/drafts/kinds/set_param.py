"""Set a parameter of a node, from what was typed into its form."""

from typing import Any

import msgspec

from app.flows.drafts.errors import NoSuchNode
from app.flows.drafts.sheet import Cells, Sheet
from app.flows.drafts.typed import Mode, value_of

TITLE = "Set a parameter"


class Payload(msgspec.Struct, frozen=True):
    node: str
    param: str
    value: Any = None
    mode: Mode = "value"


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    return {(payload.node, f"with.{payload.param}"): value_of(payload.value, payload.mode)}
