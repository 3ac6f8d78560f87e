"""The type of an expression, as JSON Schema, from what is known of the names that it sees."""

from collections.abc import Mapping
from typing import Any

from app.flows.document import Document
from app.flows.expressions import BadExpression
from app.flows.expressions.functions import FUNCTIONS
from app.flows.expressions.language import parse
from app.flows.expressions.macros import is_binding
from app.flows.expressions.tree import (
    Call,
    Const,
    Fold,
    Ident,
    ListOf,
    MapOf,
    Node,
    Select,
    Tree,
)
from app.flows.shapes import (
    Shape,
    either,
    inlined_schema,
    list_shape,
    object_shape,
    schema_of_value,
)
from app.flows.sight import Sight, sight_of

BY_KIND: dict[str, Mapping[str, Any]] = {
    "bool": {"type": "boolean"},
    "int": {"type": "integer"},
    "uint": {"type": "integer"},
    "double": {"type": "number"},
    "string": {"type": "string"},
    "bytes": {"type": "string", "contentEncoding": "base64", "x-cel": "bytes"},
    "list": {"type": "array"},
    "map": {"type": "object"},
    "null": {"type": "null"},
    "type": {"type": "string", "x-cel": "type"},
    "timestamp": {"type": "string", "format": "date-time", "x-cel": "timestamp"},
    "duration": {"type": "string", "x-cel": "duration"},
}
"""CEL's types as JSON has them; `x-cel` names what JSON can only write as text."""
_TRUTHS = frozenset({"_&&_", "_||_", "!_", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "@in"})
_SUMS = frozenset({"_+_", "_-_", "_*_", "_/_", "_%_"})


def type_of(
    document: Document, node: str, source: str, *, parameter: str = ""
) -> Mapping[str, Any]:
    """Return the JSON Schema of what `source` gives in a node; `{}` when that is not known.

    A source that is wrong has no type either: `check` says why.
    """
    sight = sight_of(document, node, parameter=parameter, type_of=type_in)
    return type_in(source, sight)


def type_in(source: str, sight: Sight) -> Mapping[str, Any]:
    """Return the JSON Schema of what `source` gives where these names are seen."""
    try:
        tree = parse(source, sight.names)
    except BadExpression:
        return {}
    return inlined_schema(shape_in(tree, sight))


def shape_in(tree: Tree, sight: Sight) -> Shape:
    """Return the shape of a whole tree."""
    return _Reading(tree, sight).shape(tree.root)


class _Reading:
    """One tree, read from its leaves up."""

    def __init__(self, tree: Tree, sight: Sight) -> None:
        self.tree = tree
        self.bound: dict[str, Shape] = dict(sight.names)

    def shape(self, node: Node) -> Shape:
        match node:
            case Const(value=value):
                found = Shape(schema_of_value(value), sample=value)
            case Ident(name=name):
                found = self.bound.get(name.removeprefix("."), Shape())
            case Select():
                found = self._select(node)
            case ListOf(items=items):
                found = _list_of([self.shape(one) for one in items])
            case MapOf(entries=entries):
                found = object_shape(
                    {
                        key.value: self.shape(value)
                        for key, value in entries
                        if isinstance(key, Const) and isinstance(key.value, str)
                    }
                )
            case Fold():
                found = self._fold(node)
            case Call():
                found = self._call(node)
        return found if found.types or found.schema else self._checked(node)

    def _checked(self, node: Node) -> Shape:
        """Return what CEL's checker knows."""
        return Shape(BY_KIND.get(self.tree.type_of(node), {}))

    def _select(self, node: Select) -> Shape:
        if node.is_test:
            return Shape(BY_KIND["bool"])
        return self.shape(node.operand).field(node.field)

    def _call(self, node: Call) -> Shape:
        name, args = node.function, node.args
        if name in _SUMS:
            return _sum(name, self.shape(args[0]), self.shape(args[1]))
        if name in ("_?_:_", "default"):
            return either(self.shape(args[-2]), self.shape(args[-1]))
        if name == "_[_]":
            return self._indexed(*args)
        if name in _SAME:
            return self.shape(args[0])
        if name in _ITEM:
            return self.shape(args[0]).item()
        return Shape(BY_KIND["bool"] if name in _TRUTHS else _given(name, len(args)))

    def _indexed(self, operand: Node, key: Node) -> Shape:
        whole = self.shape(operand)
        if isinstance(key, Const) and isinstance(key.value, str):
            return whole.field(key.value)
        index = key.value if isinstance(key, Const) and isinstance(key.value, int) else None
        if whole.kind == "list":
            return whole.item(index if index is not None and index >= 0 else None)
        return Shape()

    def _fold(self, fold: Fold) -> Shape:
        outer = self.bound
        try:
            if is_binding(fold):
                self.bound = {**outer, fold.result_name: self.shape(fold.start)}
                return self.shape(fold.result)
            over = self.shape(fold.range)
            item = Shape(BY_KIND["string"]) if over.kind == "map" else over.item()
            self.bound = {**outer, fold.variable: item}
            added = _added(fold.step)
            if added is None:
                return Shape(BY_KIND["bool"])
            return list_shape(self.shape(added))
        finally:
            self.bound = outer


_SAME = frozenset({"-_", "sort", "unique", "slice"})
"""They give what they are given."""
_ITEM = frozenset({"first", "last", "min", "max"})


def _given(name: str, count: int) -> Mapping[str, Any]:
    """Return what a function gives when it is called with so many arguments."""
    signatures = FUNCTIONS[name].signatures if name in FUNCTIONS else ()
    kinds = {one.result for one in signatures if len(one.params) == count}
    return BY_KIND.get(kinds.pop(), {}) if len(kinds) == 1 else {}


def _sum(name: str, one: Shape, other: Shape) -> Shape:
    """Return what arithmetic gives.

    Of something unknown even `x * 2` may have a fraction: JSON has one kind of number.
    """
    kinds = {one.kind, other.kind}
    known = kinds - {"dyn"}
    kind = "dyn"
    if known and known <= {"int", "double"}:
        kind = "int" if kinds == {"int"} or name == "_%_" else "double"
    elif kinds == {"timestamp"}:
        kind = "duration"
    elif kinds == {"timestamp", "duration"}:
        kind = "timestamp"
    elif len(known) == 1 and known != {"timestamp"}:
        return one if one.kind != "dyn" else other
    return Shape(BY_KIND.get(kind, {}))


def _list_of(items: list[Shape]) -> Shape:
    if not items:
        return Shape({"type": "array"})
    inner = items[0]
    for one in items[1:]:
        inner = either(inner, one)
    return list_shape(inner)


def _added(step: Node) -> Node | None:
    """Return what a round of `map` or `filter` adds to its list; None for the other macros."""
    match step:
        case Call(function="_?_:_", args=(_, inner, _)):
            return _added(inner)
        case Call(function="_+_", args=(_, ListOf(items=(item,)))):
            return item
        case _:
            return None
