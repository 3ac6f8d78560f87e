"""The flow document: nodes, edges and policies as JSON; positions are kept apart in `ui`."""

import hashlib
import re
from datetime import timedelta
from typing import Any

import msgspec

from app.core.errors import Refusal

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
_LONGEST = timedelta(days=3_650)
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class BadDocument(Refusal):
    code = "flow.bad_document"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is not a flow document: {reason}")


def duration(text: str) -> timedelta:
    """Return the time that `text` says, at most ten years: `250ms`, `2s`, `5m`, `1.5h`, `30d`."""
    found = _DURATION.match(text)
    if found is None:
        raise BadDocument(f"{text!r} is not a duration such as 250ms, 2s, 5m, 1.5h or 30d")
    seconds = float(found[1]) * _UNITS_S[found[2]]
    if seconds > _LONGEST.total_seconds():
        raise BadDocument(f"{text!r} is longer than ten years")
    return timedelta(seconds=seconds)


ERRORS = ("transient", "timeout", "crashed", "refused")
"""Kinds of errors: the peer may answer otherwise in a moment; no answer in time; the node itself
broke down; the peer or the node says no."""


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often and how slowly which errors are tried again.

    `max` counts all attempts; the n-th delay is `delay * factor**(n-1)`, at most `longest`, and
    with `jitter` a random share of it between one half and the whole. `on` names kinds of errors.
    """

    max: int = 1
    delay: str = "2s"
    factor: float = 2.0
    longest: str = "5m"
    jitter: bool = True
    on: tuple[str, ...] = ("transient", "timeout", "crashed")


class Timeout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`attempt` bounds one call; `total` the node from its first attempt on, waits included.

    When a person retries a halted run, `total` is counted anew.
    """

    attempt: str = "5m"
    total: str | None = None


class NodeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A node of the graph. `within` names the container whose body it belongs to.

    `idempotency` (`key`, `probe`, `none`) and `on_failure` (`halt`, `compensate`) are the node
    type's and the flow's own when left out. `compensate` names a node, led to by no edge, that is
    done in place of the type's undo; `none` leaves the step as it is when the run is undone.
    """

    type: str
    v: int = 1
    name: str = ""
    within: str | None = None
    params: dict[str, Any] = msgspec.field(name="with", default_factory=dict)
    retry: Retry = Retry()
    timeout: Timeout = Timeout()
    idempotency: str | None = None
    on_failure: str | None = None
    compensate: str | None = None


class Document(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A whole flow. Edges go from `node.port` to `node.in`; `inputs` is the input's JSON Schema.

    `ui` holds positions and notes and is no part of what runs.
    """

    flow: str
    nodes: dict[str, NodeSpec]
    edges: tuple[tuple[str, str], ...]
    schema: int = 1
    name: str = ""
    description: str = ""
    on_failure: str = "halt"
    inputs: dict[str, Any] = {}
    ui: dict[str, Any] = {}

    def targets(self, node: str, port: str) -> tuple[str, ...]:
        """Return the nodes that an output port leads to."""
        start = f"{node}.{port}"
        return tuple(end.partition(".")[0] for source, end in self.edges if source == start)


def parse(raw: bytes | str) -> Document:
    try:
        return msgspec.json.decode(raw, type=Document)
    except msgspec.DecodeError as error:
        raise BadDocument(str(error)) from error


def encode(document: Document) -> str:
    return msgspec.json.encode(document, order="deterministic").decode()


def content_hash(document: Document) -> str:
    """Return the SHA-256 of all that runs: moving a node changes nothing."""
    bare = msgspec.structs.replace(document, ui={})
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()
