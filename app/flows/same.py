"""When two JSON values are the same: strictly by kind, numbers by what they are worth."""

from typing import Any

from app.core.errors import Refusal


class TooDeep(Refusal):
    code = "flow.too_deep"

    def __init__(self) -> None:
        super().__init__("A value is nested too deeply to be compared; compare a part of it.")


def same(one: Any, other: Any) -> bool:
    """Return whether both are equal as JSON: 1 is 1.0, but neither "1" nor true."""
    try:
        return _same(one, other)
    except RecursionError as error:
        raise TooDeep from error


def identity(value: Any) -> Any:
    """Return what can be kept in a set, equal for two values exactly when they are the `same`."""
    try:
        return _identity(value)
    except RecursionError as error:
        raise TooDeep from error


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, bool) or isinstance(other, bool):
        return one is other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    return bool(one == other)


def _identity(value: Any) -> Any:
    if isinstance(value, bool):
        return ("truth", value)
    if isinstance(value, dict):
        return ("object", frozenset((key, _identity(part)) for key, part in value.items()))
    if isinstance(value, list | tuple):
        return ("list", tuple(_identity(part) for part in value))
    return value
