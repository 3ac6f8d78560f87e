"""What the expressions of a node see: the names, the steps before it, and what is known of each."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from app.flows.document import Document, NodeSpec
from app.flows.expressions import is_expression
from app.flows.expressions.names import NAMES
from app.flows.node import NodeType
from app.flows.registry import UnknownNodeType, node_type
from app.flows.shapes import (
    NO_SAMPLE,
    Shape,
    object_shape,
    schema_of_value,
    shape_of_output,
)

ERROR = "error"
EACH = "each"
LOOP = "logic.each"
SETS_VARIABLES = "data.set"
_TEXT = {"type": "string"}
_FIXED: dict[str, Mapping[str, Any]] = {
    "index": {"type": "integer"},
    "iteration": {"type": "object", "properties": {"count": {"type": "integer"}}},
    "error": {
        "type": "object",
        "properties": {
            "node": {**_TEXT, "description": "The node that failed."},
            "message": {**_TEXT, "description": "What it said."},
            "kind": {
                **_TEXT,
                "enum": ["transient", "timeout", "crashed", "refused"],
                "description": "What kind of error it was.",
            },
        },
    },
    "run": {
        "type": "object",
        "properties": {
            "id": {**_TEXT, "format": "uuid"},
            "flow": _TEXT,
            "version": {"type": "integer"},
        },
    },
    "now": {**_TEXT, "format": "date-time", "x-cel": "timestamp"},
}
TypeOf = Callable[[str, "Sight"], Mapping[str, Any]]


@dataclass(frozen=True)
class Sight:
    """The names in scope; `origins` says of a step what the flow calls it, and its type."""

    names: Mapping[str, Shape] = field(default_factory=dict)
    origins: Mapping[str, str] = field(default_factory=dict)

    @property
    def steps(self) -> Mapping[str, Shape]:
        return self.names["steps"].fields() if "steps" in self.names else {}


def steps_before(document: Document, node: str, *, at_end: bool = False) -> frozenset[str]:
    """Return the nodes that have an output on some way to `node`.

    A node that is left by its error port has none, nor has a container inside its own body.
    `at_end` is where a round of the container `node` ends: its body has run too. Edges of a draft
    that lead in a circle do no harm. Time: O(nodes + edges).
    """
    leads: dict[str, list[tuple[str, str]]] = {}
    for start, end in document.edges:
        source, _, port = start.partition(".")
        leads.setdefault(end.partition(".")[0], []).append((source, port))
    seen: set[str] = set()
    found: set[str] = set()
    open_ = [node]
    for other, spec in document.nodes.items():
        if spec.compensate == node:  # no edge leads to it: it is done in place of an undo
            found.add(other)
            open_.append(other)
        if at_end and spec.within == node:
            found.add(other)
            open_.append(other)
    while open_:
        for source, port in leads.get(open_.pop(), ()):
            if port not in (ERROR, EACH) and source in document.nodes:
                found.add(source)
            if source not in seen:
                seen.add(source)
                open_.append(source)
    return frozenset(found - {node})


def is_on_error_branch(document: Document, node: str) -> bool:
    """Return whether some way to `node` goes through an error port."""
    leads: dict[str, list[tuple[str, str]]] = {}
    for start, end in document.edges:
        source, _, port = start.partition(".")
        leads.setdefault(end.partition(".")[0], []).append((source, port))
    seen = {node}
    open_ = [node]
    while open_:
        for source, port in leads.get(open_.pop(), ()):
            if port == ERROR:
                return True
            if source not in seen:
                seen.add(source)
                open_.append(source)
    return False


def containers_of(document: Document, node: str) -> list[str]:
    """Return the containers around a node, the innermost first."""
    found: list[str] = []
    spec = document.nodes.get(node)
    while spec is not None and spec.within is not None and spec.within not in found:
        found.append(spec.within)
        spec = document.nodes.get(spec.within)
    return found


def sight_of(
    document: Document,
    node: str,
    *,
    parameter: str = "",
    samples: Mapping[str, Any] | None = None,
    type_of: TypeOf | None = None,
) -> Sight:
    """Return what the expressions of a node's parameter see.

    `samples` are outputs by node, and the run's input under `input`: what they hold is known even
    where no schema tells it. `type_of` tells the type of the list that a loop goes over.
    """
    given = samples or {}
    kind = _kind(document.nodes.get(node))
    is_lazy = kind is not None and parameter.partition(".")[0] in kind.lazy
    at_end = is_lazy and kind is not None and kind.container
    before = steps_before(document, node, at_end=at_end)
    shapes = {other: _output(document.nodes[other], given.get(other, NO_SAMPLE))
              for other in sorted(before)}  # fmt: skip
    names: dict[str, Shape] = {
        "input": Shape(document.inputs, document.inputs, given.get("input", NO_SAMPLE)),
        "steps": object_shape(shapes),
        "vars": object_shape(_variables(document, before)),
    }
    around = [node, *containers_of(document, node)] if at_end else containers_of(document, node)
    loop = next((one for one in around if document.nodes[one].type == LOOP), None)
    if loop is not None:
        names["item"] = _item(document, loop, given, type_of)
        names["index"] = Shape(_FIXED["index"])
    if around:
        names["iteration"] = Shape(_FIXED["iteration"])
    if is_on_error_branch(document, node):
        names["error"] = Shape(_FIXED["error"])
    names |= {name: Shape(_FIXED[name]) for name in ("run", "now")}
    if is_lazy and not at_end:
        names["result"] = _output(document.nodes[node], given.get(node, NO_SAMPLE))
        names["items"] = Shape({"type": "array"})
    origins = {other: _origin(other, document.nodes[other]) for other in shapes}
    return Sight({name: names[name] for name in NAMES if name in names}, origins)


def _kind(spec: NodeSpec | None) -> NodeType | None:
    try:
        return None if spec is None else node_type(spec.type, spec.v)
    except UnknownNodeType:
        return None


def _output(spec: NodeSpec, sample: Any) -> Shape:
    kind = _kind(spec)
    shape = Shape() if kind is None else shape_of_output(kind, spec.params)
    return shape.with_sample(sample)


def _origin(name: str, spec: NodeSpec) -> str:
    kind = _kind(spec)
    title = kind.title if kind is not None else spec.type
    return f"{spec.name} ({title})" if spec.name and spec.name != name else title


def _variables(document: Document, before: frozenset[str]) -> dict[str, Shape]:
    """Return the variables that nodes set before, by the schemas of what they set them to."""
    found: dict[str, Shape] = {}
    for name in sorted(before):
        spec = document.nodes[name]
        if spec.type != SETS_VARIABLES:
            continue
        shape = _output(spec, NO_SAMPLE)
        written = spec.params.get("variables", {})
        for variable, value in written.items() if isinstance(written, dict) else ():
            known = shape.field(variable)
            if not known.types and not is_expression(value):
                known = Shape(schema_of_value(value))
            doc = f"Set by {spec.name or name}."
            found[str(variable)] = replace(known, doc=doc)
    return found


def _item(
    document: Document, loop: str, samples: Mapping[str, Any], type_of: TypeOf | None
) -> Shape:
    """Return the shape of what a loop goes over."""
    items = document.nodes[loop].params.get("items")
    if isinstance(items, list):
        return Shape(schema_of_value(items), sample=items).item()
    if not is_expression(items) or type_of is None or not isinstance(items, str):
        return Shape()
    outer = sight_of(document, loop, samples=samples, type_of=type_of)
    schema = type_of(items[1:].strip(), outer)
    return Shape(schema, schema).item()
