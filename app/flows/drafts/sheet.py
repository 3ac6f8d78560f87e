"""The content of a draft as cells: what one gesture touches, and what undoes it.

A cell is a (node, field) pair; the node "" is the flow itself. Fields of a node are `` (the
whole of it: None when there is none), `name`, `within`, `with.PARAM`, `retry.FIELD`,
`timeout.FIELD`, `idempotency`, `on_failure`, `compensate`, `position`, `pin`, `comment:ID` and
`edge:PORT>TARGET.in` (True when there is such an edge). Fields of the flow are `name`,
`description`, `inputs`, `on_failure` and `note:ID`. None is what a cell holds when there is
nothing in it. A command is a set of cells with their values before and after, so that applying,
undoing, replaying and comparing are the same for every kind.
"""

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import msgspec

from app.flows.document import Document, NodeSpec, Retry, Timeout

Cell: TypeAlias = tuple[str, str]
Cells: TypeAlias = Mapping[Cell, Any]
Edge: TypeAlias = tuple[str, str]

NOTES = "notes"
_FLOW = ("name", "description", "inputs", "on_failure")
_NOTHING: dict[str, Any] = {"name": "", "description": "", "inputs": {}, "on_failure": "halt"}


class Sheet(msgspec.Struct, frozen=True):
    """What is drawn: a document, valid or not yet, and sample outputs by node."""

    document: Document
    pins: dict[str, Any] = {}

    @property
    def nodes(self) -> dict[str, NodeSpec]:
        return self.document.nodes

    def position(self, node: str) -> tuple[int, int] | None:
        place = self.document.ui.get(node)
        if not isinstance(place, dict) or "x" not in place or "y" not in place:
            return None
        return round(place["x"]), round(place["y"])

    def comments(self, node: str) -> dict[str, dict[str, Any]]:
        """Return the comments on a node by id, the oldest first: ids are UUIDv7."""
        place = self.document.ui.get(node)
        found = place.get("comments", {}) if isinstance(place, dict) else {}
        return dict(sorted(found.items()))

    def notes(self) -> dict[str, dict[str, Any]]:
        return {note["id"]: note for note in self.document.ui.get(NOTES, ()) if "id" in note}

    def edges_of(self, node: str) -> list[Edge]:
        """Return the edges that begin or end at a node. O(edges)."""
        return [edge for edge in self.document.edges if node in (source_of(edge), target_of(edge))]


def source_of(edge: Edge) -> str:
    return edge[0].partition(".")[0]


def port_of(edge: Edge) -> str:
    return edge[0].partition(".")[2]


def target_of(edge: Edge) -> str:
    return edge[1].partition(".")[0]


def edge_cell(edge: Edge) -> Cell:
    return source_of(edge), f"edge:{port_of(edge)}>{edge[1]}"


def edge_of(cell: Cell) -> Edge:
    """Return the edge that an edge's cell is about."""
    port, _, end = cell[1].removeprefix("edge:").partition(">")
    return f"{cell[0]}.{port}", end


def in_order(document: Document) -> Document:
    """Return the document, drawing included, with each edge once and all in order."""
    ordered = tuple(sorted({(start, end) for start, end in document.edges}))
    return msgspec.structs.replace(document, edges=ordered)


def read(sheet: Sheet, cell: Cell) -> Any:
    """Return what a cell holds; O(1), an edge's O(edges)."""
    node, field = cell
    if field.startswith("edge:"):
        return True if edge_of(cell) in sheet.document.edges else None
    if node == "":
        return _read_flow(sheet, field)
    if node not in sheet.nodes:
        return None
    kind, _, name = field.partition(".")
    if kind in _SPEC:
        return _SPEC[kind](sheet.nodes[node], name)
    if kind in _BESIDE:
        return _BESIDE[kind](sheet, node)
    if kind.startswith("comment:"):
        return sheet.comments(node).get(kind.removeprefix("comment:"))
    raise ValueError(f"no cell {cell}")


def whole(sheet: Sheet, node: str) -> dict[str, Any]:
    """Return everything about a node but its edges, as its cell `` holds it."""
    found = {"spec": plain(sheet.nodes[node])}
    if node in sheet.document.ui:
        found["ui"] = sheet.document.ui[node]
    if node in sheet.pins:
        found["pin"] = {"value": sheet.pins[node]}
    return found


def _unless_default(policy: Any, default: Any, name: str) -> Any:
    value = getattr(policy, name)
    return None if value == getattr(default, name) else plain(value)


def plain(value: Any) -> Any:
    """Return a value as JSON would give it back, so that what is kept and what is read compare."""
    return msgspec.json.decode(msgspec.json.encode(value))


def _place_of(sheet: Sheet, node: str) -> list[int] | None:
    place = sheet.position(node)
    return list(place) if place else None


def _pin_of(sheet: Sheet, node: str) -> dict[str, Any] | None:
    return {"value": sheet.pins[node]} if node in sheet.pins else None


_SPEC: dict[str, Callable[[NodeSpec, str], Any]] = {
    "with": lambda spec, name: spec.params.get(name),
    "retry": lambda spec, name: _unless_default(spec.retry, Retry(), name),
    "timeout": lambda spec, name: _unless_default(spec.timeout, Timeout(), name),
    "name": lambda spec, _: spec.name or None,
    "within": lambda spec, _: spec.within,
    "idempotency": lambda spec, _: spec.idempotency,
    "on_failure": lambda spec, _: spec.on_failure,
    "compensate": lambda spec, _: spec.compensate,
}
_BESIDE: dict[str, Callable[[Sheet, str], Any]] = {
    "": whole,
    "position": _place_of,
    "pin": _pin_of,
}


def _read_flow(sheet: Sheet, field: str) -> Any:
    if field.startswith("note:"):
        note = sheet.notes().get(field.removeprefix("note:"))
        return {key: value for key, value in note.items() if key != "id"} if note else None
    if field not in _FLOW:
        raise ValueError(f"a flow has no cell {field}")
    value = getattr(sheet.document, field)
    return None if value == _NOTHING[field] else value


def write(sheet: Sheet, cells: Cells) -> Sheet:
    """Return the sheet with these values in these cells. O(nodes + edges), no value is copied.

    Whole nodes are written first, so that a node and its fields may be given together.
    """
    draft = _Writing(sheet)
    for (node, field), value in sorted(cells.items(), key=lambda item: item[0][1] != ""):
        draft.put(node, field, value)
    return draft.done()


class _Writing:
    """Copies of the sheet's containers, one level deep, while cells are put into them."""

    def __init__(self, sheet: Sheet) -> None:
        document = sheet.document
        self.document = document
        self.nodes = dict(document.nodes)
        self.edges = set(document.edges)
        self.ui = dict(document.ui)
        self.notes = sheet.notes()
        self.pins = dict(sheet.pins)
        self.flow: dict[str, Any] = {}

    def put(self, node: str, field: str, value: Any) -> None:
        if field.startswith("edge:"):
            (self.edges.discard if value is None else self.edges.add)(edge_of((node, field)))
        elif node == "":
            self._put_flow(field, value)
        elif field == "":
            self._put_node(node, value)
        else:
            self._put_field(node, field, value)

    def _put_flow(self, field: str, value: Any) -> None:
        if not field.startswith("note:"):
            self.flow[field] = _NOTHING[field] if value is None else value
        elif value is None:
            self.notes.pop(field.removeprefix("note:"), None)
        else:
            self.notes[field.removeprefix("note:")] = {"id": field.removeprefix("note:"), **value}

    def _put_node(self, node: str, value: Any) -> None:
        for place in (self.nodes, self.ui, self.pins):
            place.pop(node, None)
        if value is not None:
            self.nodes[node] = msgspec.convert(value["spec"], NodeSpec)
            if "ui" in value:
                self.ui[node] = value["ui"]
            if "pin" in value:
                self.pins[node] = value["pin"]["value"]

    def _put_field(self, node: str, field: str, value: Any) -> None:
        kind, _, name = field.partition(".")
        place = self.ui.get(node)
        place = dict(place) if isinstance(place, dict) else {}
        if kind == "position":
            place.pop("x", None), place.pop("y", None)
            self._put_place(node, place | ({} if value is None else {"x": value[0], "y": value[1]}))
        elif kind.startswith("comment:"):
            comments = dict(place.pop("comments", {}))
            comments.pop(kind.removeprefix("comment:"), None)
            comments |= {} if value is None else {kind.removeprefix("comment:"): value}
            self._put_place(node, place | ({"comments": comments} if comments else {}))
        elif kind == "pin":
            self.pins.pop(node, None)
            self.pins |= {} if value is None else {node: value["value"]}
        else:
            self.nodes[node] = _with_field(self.nodes[node], kind, name, value)

    def _put_place(self, node: str, place: dict[str, Any]) -> None:
        self.ui.pop(node, None)
        if place:
            self.ui[node] = place

    def done(self) -> Sheet:
        self.ui.pop(NOTES, None)
        if self.notes:
            self.ui[NOTES] = [self.notes[key] for key in sorted(self.notes)]
        edges = tuple(sorted(self.edges))
        return Sheet(
            msgspec.structs.replace(
                self.document, nodes=self.nodes, edges=edges, ui=self.ui, **self.flow
            ),
            self.pins,
        )


def _with_field(spec: NodeSpec, kind: str, name: str, value: Any) -> NodeSpec:
    replace = msgspec.structs.replace
    match kind:
        case "with":
            params = {key: held for key, held in spec.params.items() if key != name}
            return replace(spec, params=params if value is None else params | {name: value})
        case "retry":
            return replace(spec, retry=_with_policy(spec.retry, _BARE.retry, name, value))
        case "timeout":
            return replace(spec, timeout=_with_policy(spec.timeout, _BARE.timeout, name, value))
        case "name":
            return replace(spec, name=value or "")
    return replace(spec, **{kind: value})


def _with_policy(policy: Any, default: Any, name: str, value: Any) -> Any:
    given = {key: held for key, held in msgspec.to_builtins(policy).items() if key != name}
    made = msgspec.convert(given if value is None else given | {name: value}, type(default))
    # The very default is left out of the JSON, and so of the content's hash; an equal one is not.
    return default if made == default else made


_BARE = NodeSpec(type="")
