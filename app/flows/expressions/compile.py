"""From a tree to a Python function: one closure a node, no lookup by name while it runs."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from app.flows.expressions import macros
from app.flows.expressions.access import key_of, present, select
from app.flows.expressions.branches import OPERATORS
from app.flows.expressions.errors import BadExpression, Fault, Missing, TooCostly
from app.flows.expressions.functions import FUNCTIONS
from app.flows.expressions.macros import Run
from app.flows.expressions.meter import Frame
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
    path_of,
    walk,
)
from app.flows.expressions.values import NAMES, Type, a, as_value, name_of, unfit

TYPES = {
    "bool": "bool",
    "int": "int",
    "uint": "uint",
    "double": "double",
    "string": "string",
    "bytes": "bytes",
    "list": "list",
    "map": "map",
    "null_type": "null",
    "google.protobuf.Timestamp": "timestamp",
    "google.protobuf.Duration": "duration",
}


class Compiler:
    """Compiles one tree. `slots` counts the variables of its macros."""

    def __init__(self, tree: Tree) -> None:
        self.tree = tree
        self.slots = 0
        self.bound: dict[str, Run] = {}

    def compile(self, node: Node) -> Run:
        """Return what evaluates `node`; its faults say where it stands."""
        match node:
            case Const(value=value):
                return lambda _: value
            case Ident():
                return self._ident(node)
            case ListOf():
                return self._list(node)
            case _:
                return self._placed(node, self._inner(node))

    def _inner(self, node: Select | Call | MapOf | Fold) -> Run:
        match node:
            case Select():
                return self._select(node)
            case Call():
                return self._call(node)
            case MapOf():
                return self._map(node)
            case Fold():
                return self._fold(node)

    def _placed(self, node: Node, run: Run) -> Run:
        """Tell a fault where it happened, unless something inside knows better."""
        at = self.tree.at(node)
        if isinstance(node, Select) and at is not None:
            at += len(self.tree.source[at:]) - len(self.tree.source[at:].lstrip(". \t\r\n"))

        def placed(frame: Frame) -> Any:
            try:
                return run(frame)
            except (Fault, TooCostly) as error:
                if error.at is None:
                    error.at = at
                raise
            except (OverflowError, UnicodeError) as error:
                raise Fault(unfit(error), at) from error

        return placed

    def _ident(self, node: Ident) -> Run:
        name = node.name.removeprefix(".")
        if (bound := self.bound.get(name)) is not None:
            return bound
        if name in TYPES:
            kind = Type(TYPES[name])
            return lambda _: kind
        at = self.tree.at(node)
        is_moment = name == "now"

        def run(frame: Frame) -> Any:
            try:
                value = frame.names[name]
            except KeyError:
                raise Missing(f"there is no {name} here", at) from None
            if is_moment:
                return _moment(value)
            return value if type(value) in NAMES else as_value(value)

        return run

    def _select(self, node: Select) -> Run:
        operand, field, path = self.compile(node.operand), node.field, path_of(node.operand)
        if node.is_test:
            return lambda frame: present(operand, frame, field)
        return lambda frame: select(operand(frame), field, path)

    def _call(self, node: Call) -> Run:
        args = tuple(self.compile(one) for one in node.args)
        if node.function == "_[_]":
            operand, key = args
            path = path_of(node.args[0])
            return lambda frame: key_of(operand(frame), key(frame), path)
        if (make := OPERATORS.get(node.function)) is not None:
            return make(*args)
        if (function := FUNCTIONS.get(node.function)) is not None:
            return function.bound(args)
        raise BadExpression(
            self.tree.source, f"there is no function {node.function}", at=self.tree.at(node)
        )

    def _list(self, node: ListOf) -> Run:
        items = tuple(self.compile(one) for one in node.items)

        def run(frame: Frame) -> list[Any]:
            frame.spend(len(items))
            return [item(frame) for item in items]

        return run

    def _map(self, node: MapOf) -> Run:
        if node.message:
            raise BadExpression(
                self.tree.source,
                f"it makes a {node.message}; write a map such as {{'a': 1}} instead",
                at=self.tree.at(node),
            )
        entries = tuple((self.compile(key), self.compile(value)) for key, value in node.entries)

        def run(frame: Frame) -> dict[str, Any]:
            frame.spend(len(entries))
            made: dict[str, Any] = {}
            for key, value in entries:
                name = key(frame)
                if type(name) is not str:
                    raise Fault(f"the keys of a map are strings, not {a(name_of(name))}")
                if name in made:
                    raise Fault(f"the key {name} comes twice")
                made[name] = value(frame)
            return made

        return run

    def _fold(self, fold: Fold) -> Run:
        items = self.compile(fold.range)
        outer, slot = self.bound, self.slots
        self.slots += 1
        if macros.is_binding(fold):
            value = self.compile(fold.start)
            self.bound = {**outer, fold.result_name: macros.bound(slot, value)}
            try:
                return macros.bind(slot, self.compile(fold.result))
            finally:
                self.bound = outer
        self.bound = {**outer, fold.variable: macros.variable(slot)}
        try:
            cost = 1 + sum(1 for _ in walk(fold.step))
            run = macros.loop(fold, slot, items, self.compile, cost)
        finally:
            self.bound = outer
        if run is None:
            raise BadExpression(
                self.tree.source, "this macro is not known here", at=self.tree.at(fold)
            )
        return run


def _moment(value: Any) -> datetime:
    """Return `now` as a timestamp; scopes carry it as one or as RFC 3339 text."""
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
    if not isinstance(value, datetime):
        raise Fault(f"`now` is {a(name_of(value))} here, not a timestamp")
    return value if value.tzinfo else value.replace(tzinfo=UTC)


def plain_path(node: Node) -> tuple[str, ...] | None:
    """Return the keys of a reference such as `steps.a.b`; None for anything else."""
    match node:
        case Ident(name=name) if name != "now" and name not in TYPES and name[0] != ".":
            return (name,)
        case Select(is_test=False) if (before := plain_path(node.operand)) is not None:
            return (*before, node.field)
        case Call(function="_[_]", args=(operand, Const(value=str() as key))) if (
            before := plain_path(operand)
        ) is not None:
            return (*before, key)
        case _:
            return None


def follow(path: tuple[str, ...], names: Mapping[str, Any]) -> Any:
    """Return what a plain path leads to. Raises KeyError or TypeError where it leads nowhere."""
    value: Any = names
    for key in path:
        value = value[key]
    return value
