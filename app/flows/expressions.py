"""Expressions: CEL behind a small interface.

A value that starts with `=` is an expression (`=input.order`); `==` starts a literal `=`.
Text may interpolate: `Hello ${input.name}`. Expressions see `input` (the run's input),
`steps` (outputs of finished nodes by node id) and, inside a container, `iteration.count`.

Evaluation is pure and bounded by CEL itself: no loops but the macros over given lists, no
access to Python. Source: the Common Expression Language, cel-spec.
"""

import re
from functools import lru_cache
from typing import Any

from cel_expr_python import cel

from app.core.errors import Refusal

MAX_SOURCE_CHARS = 4_000
_INTERPOLATION = re.compile(r"\$\{([^}]*)\}")
_STEP_REFERENCE = re.compile(r"\bsteps\.([A-Za-z_][A-Za-z0-9_]*)")


class BadExpression(Refusal):
    """The expression cannot be parsed, or its evaluation is an error; CEL's own words follow."""

    code = "flow.bad_expression"

    def __init__(self, source: str, reason: str) -> None:
        super().__init__(f"The expression {source!r} is wrong: {reason}")
        self.source = source
        self.reason = reason


@lru_cache(maxsize=1)
def _environment() -> Any:
    any_map = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
    return cel.NewEnv(
        variables={
            "input": any_map,
            "steps": any_map,
            "iteration": any_map,
            "result": cel.Type.DYN,  # what a node has just got, for its lazy parameters
        }
    )


@lru_cache(maxsize=4_096)
def _compile(source: str) -> Any:
    if len(source) > MAX_SOURCE_CHARS:
        raise BadExpression(source[:40] + "…", f"it is longer than {MAX_SOURCE_CHARS} characters")
    try:
        return _environment().compile(source)
    except RuntimeError as error:
        raise BadExpression(source, str(error)) from error


def evaluate(source: str, scope: dict[str, Any]) -> Any:
    """Return the plain value of `source`; a missing key or a type error is a `BadExpression`.

    CEL returns errors as values, so the type of every result is looked at.
    """
    data = {"input": {}, "steps": {}, "iteration": {}} | scope
    result = _compile(source).eval(data=data)
    if result.type() in (cel.Type.ERROR, cel.Type.UNKNOWN):
        raise BadExpression(source, str(result.plain_value()))
    return result.plain_value()


def is_expression(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("=") and not value.startswith("==")


def resolve(value: Any, scope: dict[str, Any]) -> Any:
    """Return `value` with every expression in it evaluated, through lists and maps."""
    if isinstance(value, dict):
        return {key: resolve(part, scope) for key, part in value.items()}
    if isinstance(value, list):
        return [resolve(part, scope) for part in value]
    return _resolve_text(value, scope) if isinstance(value, str) else value


def _resolve_text(value: str, scope: dict[str, Any]) -> Any:
    if value.startswith("=="):
        return value[1:]
    if value.startswith("="):
        return evaluate(value[1:].strip(), scope)
    return _INTERPOLATION.sub(lambda found: _as_text(evaluate(found[1], scope)), value)


def sources_of(value: Any) -> list[str]:
    """Return every expression inside `value`, for checking and for finding references."""
    if isinstance(value, dict):
        return [source for part in value.values() for source in sources_of(part)]
    if isinstance(value, list):
        return [source for part in value for source in sources_of(part)]
    if is_expression(value):
        return [value[1:].strip()]
    if isinstance(value, str) and not value.startswith("=="):
        return _INTERPOLATION.findall(value)
    return []


def check(source: str) -> None:
    """Raise `BadExpression` when `source` cannot be parsed or can never be typed."""
    _compile(source)


def references(value: Any) -> frozenset[str]:
    """Return the ids of the nodes whose outputs `value` refers to."""
    return frozenset(
        node for source in sources_of(value) for node in _STEP_REFERENCE.findall(source)
    )


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)
