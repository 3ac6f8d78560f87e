"""Change what is said about the flow as a whole."""

from typing import Any, Literal

import msgspec

from app.flows.drafts.errors import BadGesture
from app.flows.drafts.sheet import Cells, Sheet

TITLE = "Change the flow's settings"


class Payload(msgspec.Struct, frozen=True):
    field: Literal["name", "description", "inputs", "on_failure"]
    value: str
    """As typed; `inputs` is a JSON Schema."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    text = payload.value.strip()
    value: Any = text or None
    if payload.field == "inputs" and text:
        try:
            value = msgspec.json.decode(text, type=dict[str, Any]) or None
        except msgspec.DecodeError as error:
            raise BadGesture(f"The inputs are no JSON Schema: {error}") from error
    elif payload.field == "on_failure":
        if text not in ("halt", "compensate"):
            raise BadGesture("On a failure a flow either halts or compensates.")
        value = None if text == "halt" else text
    return {("", payload.field): value}
