"""Set one limit or policy of a node: retries, time-outs, what a failure does."""

from collections.abc import Callable
from typing import Any

import msgspec

from app.flows.document import ERRORS, BadDocument, Retry, Timeout, duration
from app.flows.drafts.errors import BadGesture, NoSuchNode
from app.flows.drafts.sheet import Cells, Sheet
from app.flows.node import Idempotency

TITLE = "Set a policy"
CHOICES: dict[str, tuple[str, ...]] = {
    "idempotency": tuple(Idempotency),
    "on_failure": ("halt", "compensate"),
}
FIELDS = (
    *(f"retry.{field.name}" for field in msgspec.structs.fields(Retry)),
    *(f"timeout.{field.name}" for field in msgspec.structs.fields(Timeout)),
    *CHOICES,
    "compensate",
)


class Payload(msgspec.Struct, frozen=True):
    node: str
    field: str
    value: str = ""
    """As typed; empty is the default."""


def plan(sheet: Sheet, payload: Payload, stamp: Any) -> Cells:  # noqa: ARG001 - a kind's signature
    if payload.node not in sheet.nodes:
        raise NoSuchNode(payload.node)
    return {(payload.node, payload.field): _value(sheet, payload.field, payload.value.strip())}


def _value(sheet: Sheet, field: str, text: str) -> Any:
    if field not in FIELDS:
        raise BadGesture(f"There is no policy {field}.")
    if not text:
        return None
    if field in CHOICES and text not in CHOICES[field]:
        raise BadGesture(f"{text} is none of {', '.join(CHOICES[field])}.")
    if field == "compensate" and text not in (*sheet.nodes, "none"):
        raise BadGesture(f"There is no node {text}.")
    return _READERS[field](text) if field in _READERS else text


def _number(kind: type[int] | type[float]) -> Callable[[str], Any]:
    def read(text: str) -> Any:
        try:
            return kind(text)
        except ValueError:
            raise BadGesture(f"{text!r} is not a number.") from None

    return read


def _duration(text: str) -> str:
    try:
        duration(text)
    except BadDocument as error:
        raise BadGesture(error.message) from error
    return text


def _errors(text: str) -> list[str]:
    kinds = text.replace(",", " ").split()
    if unknown := [word for word in kinds if word not in ERRORS]:
        raise BadGesture(f"{unknown[0]} is no kind of error; they are {', '.join(ERRORS)}.")
    return kinds


_READERS: dict[str, Callable[[str], Any]] = {
    "retry.max": _number(int),
    "retry.factor": _number(float),
    "retry.on": _errors,
    # On is what it is when left out.
    "retry.jitter": lambda text: False if text == "false" else None,
    **dict.fromkeys(
        ("retry.delay", "retry.longest", "timeout.attempt", "timeout.total"), _duration
    ),
}
