"""CEL as our flows speak it: the names, the functions, and what CEL's checker says of a source."""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from cel_expr_python import cel
from cel_expr_python.ext import ext_bindings

from app.flows.expressions import explain
from app.flows.expressions.errors import BadExpression
from app.flows.expressions.functions import FUNCTIONS
from app.flows.expressions.names import NAMES
from app.flows.expressions.template import MAX_SOURCE_CHARS
from app.flows.expressions.tree import (
    Call,
    Const,
    Fold,
    Ident,
    Node,
    Select,
    Tree,
    children,
    read,
    walk,
)

_ERROR = re.compile(r"ERROR: <input>:(-?\d+):(-?\d+): (.*)")


def parse(source: str, more: Iterable[str] = ()) -> Tree:
    """Return the checked tree of `source`, which may also use the names `more`.

    Some 100 µs for a usual one. Raises `BadExpression` with the place.
    """
    if len(source) > MAX_SOURCE_CHARS:
        raise BadExpression(source, f"it is longer than {MAX_SOURCE_CHARS:,} characters")
    if not source.strip():
        raise BadExpression(source, "it is empty")
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise BadExpression(source, "it has half a character in it", at=error.start) from None
    extra = frozenset(more).difference(NAMES)
    try:
        serialized = _environment(extra).compile(source).serialize()
    except RuntimeError as error:
        raise _explained(source, str(error), extra) from error
    tree = read(source, serialized)
    _require_named_steps(tree)
    return tree


@lru_cache(maxsize=64)
def _environment(extra: frozenset[str]) -> Any:
    """Return CEL's environment. Its functions are declared, never run: `compile.py` has them."""
    kinds = {
        "string": cel.Type.STRING,
        "bytes": cel.Type.BYTES,
        "int": cel.Type.INT,
        "double": cel.Type.DOUBLE,
        "bool": cel.Type.BOOL,
        "list": cel.Type.List(cel.Type.DYN),
        "map": cel.Type.Map(cel.Type.STRING, cel.Type.DYN),
        "timestamp": cel.Type.TIMESTAMP,
        "duration": cel.Type.DURATION,
        "dyn": cel.Type.DYN,
    }
    functions = [
        cel.FunctionDecl(
            function.name,
            [
                cel.Overload(
                    id=re.sub(r"\W+", "_", signature.text),
                    return_type=kinds[signature.result],
                    parameters=[kinds[param] for param in signature.params],
                    is_member=signature.is_method,
                    impl=_never,
                )
                for signature in function.signatures
            ],
        )
        for function in FUNCTIONS.values()
        if not function.is_cel
    ]
    variables = {name.name: kinds[name.type] for name in NAMES.values()}
    variables |= dict.fromkeys(sorted(extra), cel.Type.DYN)
    return cel.NewEnv(
        variables=variables, functions=functions, extensions=[ext_bindings.ExtBindings()]
    )


def _never(*_: Any) -> None:
    raise AssertionError("functions are evaluated by compile.py")


def _explained(source: str, said: str, extra: frozenset[str]) -> BadExpression:
    """Return CEL's first complaint with its place and what helps."""
    found = [
        (offset(source, int(line), int(column)), words)
        for line, column, words in _ERROR.findall(said)
    ]
    if not found:
        return BadExpression(source, explain.unplaced(said))
    # Of a namespaced function CEL complains twice, first about what stands before the dot.
    at, words = next(
        (one for one in found if explain.is_function(source, one[0], one[1])), found[0]
    )
    reason, place = explain.placed(source, at, words, extra)
    return BadExpression(source, reason, at=place, cel=words.strip().rstrip("."))


def offset(source: str, line: int, column: int) -> int | None:
    """Return the offset of a place that CEL names; None when it names none."""
    if line < 1 or column < 1:
        return None
    starts = [0, *(found.end() for found in re.finditer("\n", source))]
    return min(starts[min(line, len(starts)) - 1] + column - 1, len(source))


def _require_named_steps(tree: Tree) -> None:
    """Refuse `steps` but before a node's name: only outputs that are named are loaded."""
    named = {id(operand) for node in walk(tree.root) if (operand := _steps_of(node)) is not None}
    for node in walk(tree.root):
        if isinstance(node, Ident) and node.name == "steps" and id(node) not in named:
            raise BadExpression(
                tree.source,
                "say which step, as in steps.server or steps['create-vm']: only the outputs of "
                "steps that are named are at hand",
                at=tree.at(node),
            )


def _steps_of(node: Node) -> Ident | None:
    match node:
        case Select(operand=Ident(name="steps") as steps):
            return steps
        case Call(function="_[_]", args=(Ident(name="steps") as steps, Const(value=str()))):
            return steps
        case _:
            return None


def references_of(tree: Tree) -> frozenset[str]:
    """Return the ids of the nodes whose outputs a tree reads."""
    return frozenset(step for node in walk(tree.root) if (step := _step_in(node)) is not None)


def _step_in(node: Node) -> str | None:
    match node:
        case Select(operand=Ident(name="steps"), field=field):
            return field
        case Call(function="_[_]", args=(Ident(name="steps"), Const(value=str() as key))):
            return key
        case _:
            return None


def names_of(tree: Tree) -> frozenset[str]:
    """Return the names of the scope that a tree reads, those that its macros bind left out."""
    return frozenset(_free(tree.root, frozenset()))


def _free(node: Node, bound: frozenset[str]) -> set[str]:
    if isinstance(node, Ident):
        return set() if node.name in bound else {node.name}
    if isinstance(node, Fold):
        inner = bound | {node.variable, node.result_name}
        outside = _free(node.range, bound) | _free(node.start, bound)
        inside = (node.condition, node.step, node.result)
        return outside.union(*(_free(part, inner) for part in inside))
    return set().union(*(_free(child, bound) for child in children(node)))
