"""Check a flow document before it may be published; every problem names node and field."""

import re
from graphlib import CycleError, TopologicalSorter

import msgspec

from app.core.errors import Refusal
from app.flows import expressions
from app.flows.document import BadDocument, Document, NodeSpec, Retry, Timeout, duration
from app.flows.node import NodeType
from app.flows.registry import UnknownNodeType, node_type

SCHEMA = 1
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")


class Problem(msgspec.Struct, frozen=True):
    node: str
    field: str
    message: str


class InvalidFlow(Refusal):
    code = "flow.invalid"

    def __init__(self, problems: list[Problem]) -> None:
        lines = "; ".join(f"{p.node or 'flow'}.{p.field}: {p.message}" for p in problems)
        super().__init__(f"The flow cannot be published: {lines}")
        self.problems = problems


def problems_of(document: Document) -> list[Problem]:
    """Return what is wrong with `document`; empty when it may run."""
    found: list[Problem] = []
    types: dict[str, NodeType] = {}
    for name, spec in document.nodes.items():
        try:
            types[name] = node_type(spec.type, spec.v)
        except UnknownNodeType as error:
            found.append(Problem(name, "type", error.message))
    found += _edge_problems(document, types)
    for name, spec in document.nodes.items():
        found += _node_problems(document, name, spec, types.get(name))
    found += _reach_problems(document, types)
    if document.schema != SCHEMA:
        found.append(Problem("", "schema", f"must be {SCHEMA}"))
    if document.on_failure not in ("halt", "compensate"):
        found.append(Problem("", "on_failure", "must be halt or compensate"))
    return found


def require_valid(document: Document) -> None:
    if problems := problems_of(document):
        raise InvalidFlow(problems)


def _edge_problems(document: Document, types: dict[str, NodeType]) -> list[Problem]:
    found = []
    for source, end in document.edges:
        node, _, port = source.partition(".")
        target, _, entry = end.partition(".")
        if node not in document.nodes:
            found.append(Problem(node, "edges", f"the edge {source} → {end} starts at no node"))
        elif node in types and port not in (*_ports(document, types, node), "error"):
            ports = ", ".join((*_ports(document, types, node), "error"))
            found.append(Problem(node, "edges", f"it has no port {port}; its ports are {ports}"))
        if target not in document.nodes or entry != "in":
            found.append(Problem(node, "edges", f"the edge {source} → {end} ends at no input"))
            continue
        inside = document.nodes[target].within
        if node in document.nodes:
            expected = node if port == "each" else document.nodes[node].within
            if inside != expected:
                found.append(
                    Problem(
                        node, "edges", f"the edge to {target} crosses the border of a container"
                    )
                )
    return found


def _ports(document: Document, types: dict[str, NodeType], node: str) -> tuple[str, ...]:
    return types[node].all_ports(document.nodes[node].params)


def _node_problems(
    document: Document, name: str, spec: NodeSpec, kind: NodeType | None
) -> list[Problem]:
    found = []
    if _NAME.fullmatch(name) is None:
        found.append(Problem(name, "id", "use letters, digits, - and _, 64 at most"))
    if spec.within is not None and spec.within not in document.nodes:
        found.append(Problem(name, "within", f"there is no container {spec.within}"))
    found += _limit_problems(name, spec)
    for source in expressions.sources_of(spec.params):
        try:
            expressions.check(source)
        except expressions.BadExpression as error:
            found.append(Problem(name, "with", error.message))
    found += [
        Problem(name, "with", f"it refers to {reference}, which is no node")
        for reference in sorted(expressions.references(spec.params) - document.nodes.keys())
    ]
    if kind is not None:
        found += _param_problems(name, spec, kind)
        if kind.container:
            found += _container_problems(document, name, spec)
        if kind.trigger is not None and spec.within is not None:
            found.append(Problem(name, "within", "a trigger stands outside of all containers"))
    return found


def _limit_problems(name: str, spec: NodeSpec) -> list[Problem]:
    found = []
    if spec.retry.max < 1:
        found.append(Problem(name, "retry.max", "must be 1 or more; it counts all attempts"))
    if not spec.retry.factor >= 1:
        found.append(Problem(name, "retry.factor", "must be 1 or more"))
    for field, text in (
        ("retry.delay", spec.retry.delay),
        ("retry.longest", spec.retry.longest),
        ("timeout.attempt", spec.timeout.attempt),
        ("timeout.total", spec.timeout.total),
    ):
        try:
            if text is not None:
                duration(text)
        except BadDocument as error:
            found.append(Problem(name, field, error.message))
    return found


def _container_problems(document: Document, name: str, spec: NodeSpec) -> list[Problem]:
    found = []
    if not document.targets(name, "each"):
        found.append(Problem(name, "edges", "it has no body; connect its port each"))
    if spec.retry != Retry() or spec.timeout != Timeout():
        message = "a container has no limits of its own; set them on the nodes inside"
        found.append(Problem(name, "retry", message))
    return found


def _param_problems(name: str, spec: NodeSpec, kind: NodeType) -> list[Problem]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(kind.params)}
    found = [
        Problem(name, f"with.{given}", f"{kind.name} has no such parameter")
        for given in spec.params
        if given not in fields
    ]
    found += [
        Problem(name, f"with.{required}", "is missing")
        for required, field in fields.items()
        if field.required and required not in spec.params
    ]
    literal = {
        given: value
        for given, value in spec.params.items()
        # A container reads its parameters as they are written, all but the list it goes through.
        if given in fields
        and ((kind.container and given != "items") or not expressions.sources_of(value))
    }
    for given, value in literal.items():
        try:
            msgspec.convert(value, fields[given].type)
        except msgspec.ValidationError as error:
            found.append(Problem(name, f"with.{given}", str(error)))
    return found


def _reach_problems(document: Document, types: dict[str, NodeType]) -> list[Problem]:
    triggers = [name for name, kind in types.items() if kind.trigger is not None]
    if len(triggers) != 1:
        return [
            Problem("", "nodes", f"a flow has exactly one trigger; this one has {len(triggers)}")
        ]
    seen: set[str] = set()
    stand_ins = {spec.compensate or "" for spec in document.nodes.values()}
    frontier = [*triggers, *(stand_ins & document.nodes.keys())]
    while frontier:
        node = frontier.pop()
        if node in seen:
            continue
        seen.add(node)
        frontier += [
            end.partition(".")[0]
            for source, end in document.edges
            if source.partition(".")[0] == node and end.partition(".")[0] in document.nodes
        ]
    found = [
        Problem(name, "edges", "nothing leads to it") for name in document.nodes if name not in seen
    ]
    return found + _cycle_problems(document)


def _cycle_problems(document: Document) -> list[Problem]:
    """Find edges that lead back: loops are containers, and such an edge would never be left."""
    sorter: TopologicalSorter[str] = TopologicalSorter()
    for source, end in document.edges:
        sorter.add(end.partition(".")[0], source.partition(".")[0])
    try:
        sorter.prepare()
    except CycleError as error:
        node = error.args[1][0]
        message = "an edge leads back to it; use a container such as logic.repeat"
        return [Problem(node, "edges", message)]
    return []
