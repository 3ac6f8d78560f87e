"""What an expression refers to, read from its tree: names of the scope, keys under them, guards."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

from app.flows.expressions.program import check, program
from app.flows.expressions.resolve import found_in
from app.flows.expressions.tree import Call, Const, Fold, Ident, Node, Select, Tree, children


class Reference(NamedTuple):
    """`steps.server.disks[0]` is the root `steps` and the keys `server`, `disks`, 0."""

    root: str
    keys: tuple[str | int, ...]
    at: int
    """Where it stands in the source, in characters."""
    is_test: bool
    """It is asked by `has(…)`."""
    is_forgiven: bool
    """It stands in `default(…)`, which takes another value where there is none."""

    @property
    def text(self) -> str:
        keys = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.keys)
        return self.root + "".join(keys)


class Meaning(NamedTuple):
    """What was read from one source."""

    references: tuple[Reference, ...]
    guarded: frozenset[str]
    """Nodes about which `has` asks."""
    kind: str
    """CEL's type of the result, `dyn` where it cannot be known."""
    is_reference: bool
    """The whole source is its only reference."""


class Site(NamedTuple):
    """An expression in a parameter."""

    path: tuple[str | int, ...]
    """Where in the parameters; the first key is the parameter's name."""
    source: str
    offset: int
    """Where the source begins in the text."""
    is_whole: bool
    """The value is the result; otherwise it is a part of a text."""

    @property
    def field(self) -> str:
        keys = (f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.path)
        return "with" + "".join(keys)


def sites_in(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[Site]:
    """Yield every expression inside of `value`."""
    if isinstance(value, str):
        is_whole = value.startswith("=")
        for source, offset in _sources(value):
            yield Site(path, source, offset, is_whole)
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from sites_in(part, (*path, key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from sites_in(part, (*path, place))


def is_computed(value: Any) -> bool:
    """Return whether there is an expression inside of `value`."""
    if isinstance(value, str):
        return bool(_sources(value))
    if isinstance(value, dict):
        return any(map(is_computed, value.values()))
    return isinstance(value, list) and any(map(is_computed, value))


def _sources(text: str) -> tuple[tuple[str, int], ...]:
    """Return (source, its offset) of each expression in a text."""
    return _parts(text) if text.startswith("=") or "${" in text else ()


@lru_cache(maxsize=8_192)
def _parts(text: str) -> tuple[tuple[str, int], ...]:
    return tuple((source, offset) for _, source, offset in found_in(text))


@lru_cache(maxsize=8_192)
def meaning_of(source: str) -> Meaning:
    """Return what a source refers to. Raises BadExpression when it cannot be read."""
    check(source)
    tree = program(source).tree
    found = tuple(_references(tree, tree.root, frozenset(), is_forgiven=False))
    guarded = {str(one.keys[0]) for one in found if one.is_test and one.root == "steps"}
    is_reference = len(found) == 1 and _chain(tree.root) is not None and not found[0].is_test
    return Meaning(found, frozenset(guarded), tree.type_of(tree.root), is_reference)


def _references(
    tree: Tree, node: Node, bound: frozenset[str], *, is_forgiven: bool
) -> Iterator[Reference]:
    chain = _chain(node)
    if chain is not None:
        root, keys = chain
        if root not in bound:
            is_test = isinstance(node, Select) and node.is_test
            yield Reference(root, keys, tree.at(node) or 0, is_test, is_forgiven)
        return
    if isinstance(node, Fold):
        inner = bound | {node.variable, node.result_name}
        for part in (node.range, node.start):
            yield from _references(tree, part, bound, is_forgiven=is_forgiven)
        for part in (node.condition, node.step, node.result):
            yield from _references(tree, part, inner, is_forgiven=is_forgiven)
        return
    for place, child in enumerate(children(node)):
        forgives = isinstance(node, Call) and node.function == "default" and place == 0
        yield from _references(tree, child, bound, is_forgiven=is_forgiven or forgives)


def _chain(node: Node) -> tuple[str, tuple[str | int, ...]] | None:
    """Return the root and the keys of a reference; None for anything else."""
    keys: list[str | int] = []
    while True:
        match node:
            case Select(operand=operand, field=field):
                keys.append(field)
                node = operand
            case Call(function="_[_]", args=(operand, Const(value=str() | int() as key))):
                keys.append(key)
                node = operand
            case Ident(name=name):
                return name.removeprefix("."), tuple(reversed(keys))
            case _:
                return None
