"""The flow document: nodes, edges and policies as JSON; positions are kept apart in `ui`."""

import hashlib
import re
from datetime import timedelta
from functools import cache, cached_property, lru_cache
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta

from app.core.errors import Refusal
from app.flows.graph import Graph

SCHEMA = 1
MOST_NODES = 2_000
MOST_BYTES = 1_000_000

_DURATION = re.compile(r"^(\d+(?:\.\d+)?)(ms|s|m|h|d)$")
_LONGEST = timedelta(days=3_650)
_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0}


class BadDocument(Refusal):
    code = "flow.bad_document"

    def __init__(self, reason: str) -> None:
        super().__init__(f"This is not a flow document: {reason}")


@lru_cache(maxsize=1_024)
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

# What is published of each field; a draft may hold anything that has the right type, and
# `app/flows/validate` says what is wrong with it.
Duration = Annotated[
    str, Meta(extra_json_schema={"pattern": r"^\d+(\.\d+)?(ms|s|m|h|d)$", "examples": ["30s"]})
]
NodeId = Annotated[str, Meta(extra_json_schema={"pattern": "^[A-Za-z_][A-Za-z0-9_-]{0,63}$"})]


class Retry(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How often and how slowly which errors are tried again.

    `max` counts all attempts; the n-th delay is `delay * factor**(n-1)`, at most `longest`, and
    with `jitter` a random share of it between one half and the whole. `on` names kinds of errors.
    """

    max: Annotated[int, Meta(extra_json_schema={"minimum": 1, "maximum": 100_000})] = 1
    delay: Duration = "2s"
    factor: Annotated[float, Meta(extra_json_schema={"minimum": 1, "maximum": 100})] = 2.0
    longest: Duration = "5m"
    jitter: bool = True
    on: Annotated[
        tuple[Annotated[str, Meta(extra_json_schema={"enum": list(ERRORS)})], ...],
        Meta(description="Kinds of errors that are tried again."),
    ] = ("transient", "timeout", "crashed")


class Timeout(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """`attempt` bounds one call; `total` the node from its first attempt on, waits included.

    When a person retries a halted run, `total` is counted anew.
    """

    attempt: Duration = "5m"
    total: Duration | None = None


_RETRY = Retry()
_TIMEOUT = Timeout()
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


class NodeSpec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A node of the graph. `within` names the container whose body it belongs to.

    `idempotency` (`key`, `probe`, `none`) and `on_failure` (`halt`, `compensate`) are the node
    type's and the flow's own when left out. `compensate` names a node, led to by no edge, that is
    done in place of the type's undo; `none` leaves the step as it is when the run is undone.
    """

    type: Annotated[str, Meta(description="The node type, such as `action.send_mail`.")]
    v: Annotated[int, Meta(description="The node type's version.")] = 1
    name: Annotated[str, Meta(description="What people call the step.")] = ""
    within: Annotated[NodeId, Meta(description="The container it is in the body of.")] | None = None
    params: Annotated[
        dict[str, Any], Meta(description="Parameters; a value that starts with `=` is computed.")
    ] = msgspec.field(name="with", default_factory=dict)
    retry: Retry = _RETRY
    timeout: Timeout = _TIMEOUT
    idempotency: (
        Annotated[str, Meta(extra_json_schema={"enum": ["key", "probe", "none"]})] | None
    ) = None
    on_failure: Annotated[str, Meta(extra_json_schema={"enum": ["halt", "compensate"]})] | None = (
        None
    )
    compensate: Annotated[NodeId, Meta(description="A node, or `none`.")] | None = None


class Document(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, dict=True
):
    """A whole flow. Edges go from `node.port` to `node.in`; `inputs` is the input's JSON Schema.

    `ui` holds positions and notes and is no part of what runs.
    """

    flow: Annotated[
        str,
        Meta(
            description="The flow's own name in addresses and files.",
            extra_json_schema={"pattern": "^[a-z0-9][a-z0-9-]{0,63}$"},
        ),
    ]
    nodes: dict[str, NodeSpec]
    edges: tuple[tuple[str, str], ...]
    schema: Annotated[int, Meta(extra_json_schema={"const": SCHEMA})] = SCHEMA
    name: Annotated[str, Meta(description="The flow's title.")] = ""
    description: str = ""
    on_failure: Annotated[str, Meta(extra_json_schema={"enum": ["halt", "compensate"]})] = "halt"
    inputs: Annotated[dict[str, Any], Meta(description="JSON Schema of the run's input.")] = {}
    ui: Annotated[dict[str, Any], Meta(description="Positions and notes.")] = {}

    @cached_property
    def graph(self) -> Graph:
        """What leads where: made when it is first asked for, and kept."""
        return Graph(self.nodes, self.edges)

    def targets(self, node: str, port: str) -> tuple[str, ...]:
        """Return the nodes that an output port leads to. Time: O(1)."""
        return self.graph.targets(node, port)


def parse(raw: bytes | str) -> Document:
    """Return the document; raises BadDocument when it is none. What it says is not checked."""
    try:
        return msgspec.json.decode(raw, type=Document)
    except (msgspec.DecodeError, UnicodeError) as error:
        raise BadDocument(str(error)) from error
    except RecursionError:
        raise BadDocument("its values are nested too deeply") from None


def encode(document: Document) -> str:
    return msgspec.json.encode(document, order="deterministic").decode()


def canonical(document: Document) -> Document:
    """Return what runs of a document, the same however that was written.

    Without `ui`, with its edges in one order, and with what is as it would be anyway left out.
    """
    nodes = {
        name: _without_defaults(
            msgspec.structs.replace(
                spec,
                retry=_RETRY if spec.retry == _RETRY else _without_defaults(spec.retry),
                timeout=_TIMEOUT if spec.timeout == _TIMEOUT else _without_defaults(spec.timeout),
            )
        )
        for name, spec in document.nodes.items()
    }
    edges = tuple(sorted(document.edges))
    return _without_defaults(msgspec.structs.replace(document, ui={}, nodes=nodes, edges=edges))


def _without_defaults(struct: _Struct) -> _Struct:
    """Return the struct with the defaults themselves where it has their equals.

    msgspec leaves out a default only when it is the very object.
    """
    equal = {
        field.name: field.default
        for field in _fields(type(struct))
        if getattr(struct, field.name) == field.default
    }
    return msgspec.structs.replace(struct, **equal) if equal else struct


@cache
def _fields(struct: type[msgspec.Struct]) -> tuple[msgspec.structs.FieldInfo, ...]:
    """Return the fields whose default is a value that is not nested."""
    return tuple(
        field
        for field in msgspec.structs.fields(struct)
        if isinstance(field.default, str | int | float | tuple)
    )


def content_hash(document: Document) -> str:
    """Return the SHA-256 of all that runs: moving a node changes nothing."""
    bare = canonical(document)
    return hashlib.sha256(msgspec.json.encode(bare, order="deterministic")).hexdigest()
