"""An expression as a tree: what CEL's parser and checker made of the source.

Read from the serialized `cel.expr.CheckedExpr`, so that the grammar, the macros and the types are
CEL's own. Source: cel-spec, proto/cel/expr/{checked,syntax}.proto.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from app.flows.expressions.errors import dotted
from app.flows.expressions.values import Uint
from app.flows.expressions.wire import Fields, fields, signed


@dataclass(frozen=True, slots=True)
class Const:
    id: int
    value: Any


@dataclass(frozen=True, slots=True)
class Ident:
    id: int
    name: str


@dataclass(frozen=True, slots=True)
class Select:
    """`operand.field`, or with `is_test` the question `has(operand.field)`."""

    id: int
    operand: "Node"
    field: str
    is_test: bool


@dataclass(frozen=True, slots=True)
class Call:
    """A function or operator; of a method, the target is the first argument."""

    id: int
    function: str
    args: tuple["Node", ...]
    is_method: bool


@dataclass(frozen=True, slots=True)
class ListOf:
    id: int
    items: tuple["Node", ...]


@dataclass(frozen=True, slots=True)
class MapOf:
    id: int
    message: str
    entries: tuple[tuple["Node", "Node"], ...]


@dataclass(frozen=True, slots=True)
class Fold:
    """What a macro such as `map` or `all` stands for."""

    id: int
    variable: str
    range: "Node"
    result_name: str
    start: "Node"
    condition: "Node"
    step: "Node"
    result: "Node"


Node: TypeAlias = Const | Ident | Select | Call | ListOf | MapOf | Fold


@dataclass(frozen=True, slots=True)
class Tree:
    """A checked expression. `offsets` (in characters) and `types` are by the id of a node."""

    source: str
    root: Node
    offsets: dict[int, int]
    types: dict[int, str] = field(default_factory=dict)

    def at(self, node: Node) -> int | None:
        return self.offsets.get(node.id)

    def type_of(self, node: Node) -> str:
        """Return CEL's name of a type, `list` and `map` without what is in them."""
        return self.types.get(node.id, "dyn")


def read(source: str, serialized: bytes) -> Tree:
    """Return the tree of a serialized checked expression."""
    checked = fields(fields(serialized)[2][0])
    info = fields(checked[5][0]) if 5 in checked else {}
    return Tree(
        source,
        _node(fields(checked[4][0])),
        {key: _int(value) for key, value in _map(info.get(4, []))},
        {key: _type(fields(value)) for key, value in _map(checked.get(3, []))},
    )


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes right below."""
    match node:
        case Select():
            return (node.operand,)
        case Call():
            return node.args
        case ListOf():
            return node.items
        case MapOf():
            return tuple(part for entry in node.entries for part in entry)
        case Fold():
            return (node.range, node.start, node.condition, node.step, node.result)
        case _:
            return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield a node and all below it, from the outside in."""
    yield node
    for child in children(node):
        yield from walk(child)


def path_of(node: Node) -> str:
    """Return a reference as a person writes it, such as `steps.server.disks[0]`; "" for others."""
    match node:
        case Ident():
            return node.name
        case Select() if not node.is_test and (before := path_of(node.operand)):
            return before + dotted(node.field)
        case Call(function="_[_]", args=(operand, Const(value=key))) if before := path_of(operand):
            return before + (dotted(key) if isinstance(key, str) else f"[{key}]")
        case _:
            return ""


def _node(said: Fields) -> Node:  # noqa: PLR0911 - one return a kind of node
    id_ = said.get(2, [0])[0]
    if 3 in said:
        return Const(id_, _const(fields(said[3][0])))
    if 4 in said:
        return Ident(id_, _text(fields(said[4][0])))
    if 5 in said:
        select = fields(said[5][0])
        operand = _node(fields(select[1][0]))
        return Select(id_, operand, _text(select, 2), bool(select.get(3, [0])[0]))
    if 6 in said:
        call = fields(said[6][0])
        args = tuple(_node(fields(one)) for one in (*call.get(1, []), *call.get(3, [])))
        return Call(id_, _text(call, 2), args, 1 in call)
    if 7 in said:
        return ListOf(id_, tuple(_node(fields(one)) for one in fields(said[7][0]).get(1, [])))
    if 8 in said:
        return _map_of(id_, fields(said[8][0]))
    return _fold(id_, fields(said[9][0]))


def _map_of(id_: int, said: Fields) -> MapOf:
    entries = [fields(one) for one in said.get(2, [])]
    return MapOf(
        id_,
        _text(said),
        tuple(
            (
                _node(fields(one[3][0])) if 3 in one else Const(0, _text(one, 2)),
                _node(fields(one[4][0])),
            )
            for one in entries
        ),
    )


def _fold(id_: int, said: Fields) -> Fold:
    parts = {number: _node(fields(said[number][0])) for number in (2, 4, 5, 6, 7)}
    return Fold(id_, _text(said), parts[2], _text(said, 3), parts[4], parts[5], parts[6], parts[7])


def _const(said: Fields) -> Any:
    for number, value in said.items():
        match number:
            case 2:
                return bool(value[0])
            case 3:
                return signed(value[0])
            case 4:
                return Uint(value[0])
            case 6:
                return value[0].decode()
            case 5 | 7:
                return value[0]
    return None


def _map(entries: list[bytes]) -> Iterator[tuple[int, Any]]:
    for entry in entries:
        said = fields(entry)
        yield said.get(1, [0])[0], said.get(2, [0])[0]


def _int(value: Any) -> int:
    return signed(value) if isinstance(value, int) else 0


def _text(said: Fields, number: int = 1) -> str:
    return said[number][0].decode() if number in said else ""


_PRIMITIVES = ("dyn", "bool", "int", "uint", "double", "string", "bytes")
_WELL_KNOWN = ("dyn", "dyn", "timestamp", "duration")


def _type(said: Fields) -> str:
    if 2 in said:
        return "null"
    if 3 in said:
        return _PRIMITIVES[said[3][0]]
    if 5 in said:
        return _WELL_KNOWN[said[5][0]]
    if 6 in said:
        return "list"
    if 7 in said:
        return "map"
    return "type" if 11 in said else "dyn"
