"""CEL's operators on values: checked arithmetic, equality across number types, order.

One relaxation: where an int meets a double in arithmetic, the int counts as a double. JSON has
one kind of number, and `price * 2` must not fail for the price 9.5.
Source: cel-spec, doc/langdef.md, "Numeric Values", "Equality", "Overflow".
"""

import operator
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from app.flows.expressions.errors import Fault
from app.flows.expressions.meter import Frame
from app.flows.expressions.values import INT_MAX, INT_MIN, UINT_MAX, Uint, a, name_of

Binary: TypeAlias = Callable[[Frame, Any, Any], Any]
_NUMBERS = (int, Uint, float)
_KEYS = (str, int, Uint, float, bool)
"""What CEL takes for keys; ours are strings, so the others are in no map."""
_DEEPEST = 64


def checked(value: int) -> int:
    """Return an int. Raises `Fault` when it does not fit into 64 bits."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise Fault("integer overflow: the result does not fit into 64 bits")


def checked_uint(value: int) -> Uint:
    if 0 <= value <= UINT_MAX:
        return Uint(value)
    raise Fault("unsigned integer overflow: the result does not fit into 64 bits")


def _divide(one: int, other: int) -> int:
    """Towards zero, as C does; Python's own goes down."""
    if other == 0:
        raise Fault("division by zero")
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _modulo(one: int, other: int) -> int:
    if other == 0:
        raise Fault("modulus by zero")
    return one - other * _divide(one, other)


def _divide_doubles(one: float, other: float) -> float:
    """By IEEE 754: division by zero is an infinity, or no number."""
    if other:
        return one / other
    if one == 0 or one != one:  # noqa: PLR0124 - no number is unlike itself
        return float("nan")
    same = (str(one)[0] == "-") == (str(other)[0] == "-")
    return float("inf") if same else float("-inf")


def _multiply_doubles(one: float, other: float) -> float:
    return one * other


def _moment(run: Callable[[Any, Any], Any]) -> Binary:
    def within_range(_: Frame, one: Any, other: Any) -> Any:
        try:
            return run(one, other)
        except OverflowError:
            raise Fault("timestamp overflow: years go from 1 to 9999") from None

    return within_range


def _join_texts(frame: Frame, one: Any, other: Any) -> Any:
    frame.write(len(one) + len(other))
    return one + other


def _join_lists(frame: Frame, one: list[Any], other: list[Any]) -> list[Any]:
    frame.fill(len(one) + len(other))
    return one + other


def _table(
    ints: Callable[[int, int], int] | None, doubles: Callable[[float, float], float] | None
) -> dict[tuple[type, type], Binary]:
    table: dict[tuple[type, type], Binary] = {}
    if ints is not None:
        table[int, int] = lambda _, one, other: checked(ints(one, other))
        table[Uint, Uint] = lambda _, one, other: checked_uint(ints(int(one), int(other)))
    if doubles is not None:
        table[float, float] = lambda _, one, other: doubles(one, other)
        table[int, float] = lambda _, one, other: doubles(float(one), other)
        table[float, int] = lambda _, one, other: doubles(one, float(other))
    return table


ARITHMETIC: dict[str, dict[tuple[type, type], Binary]] = {
    "_+_": _table(operator.add, operator.add)
    | {
        (str, str): _join_texts,
        (bytes, bytes): _join_texts,
        (list, list): _join_lists,
        (timedelta, timedelta): _moment(operator.add),
        (datetime, timedelta): _moment(operator.add),
        (timedelta, datetime): _moment(operator.add),
    },
    "_-_": _table(operator.sub, operator.sub)
    | {
        (timedelta, timedelta): _moment(operator.sub),
        (datetime, timedelta): _moment(operator.sub),
        (datetime, datetime): _moment(operator.sub),
    },
    "_*_": _table(operator.mul, _multiply_doubles),
    "_/_": _table(_divide, _divide_doubles),
    "_%_": _table(_modulo, None),
}
SIGNS = {"_+_": "+", "_-_": "-", "_*_": "*", "_/_": "/", "_%_": "%", "_==_": "==", "_!=_": "!=",
         "_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">=", "@in": "in", "_&&_": "&&",
         "_||_": "||", "!_": "!", "-_": "-", "_?_:_": "?", "_[_]": "[]"}  # fmt: skip
"""Operators as they are written, by the names that CEL gives them."""


def arithmetic(name: str) -> Binary:
    """Return the operator on any two values. It raises `Fault` for what it cannot take."""
    table = ARITHMETIC[name]

    def run(frame: Frame, one: Any, other: Any) -> Any:
        do = table.get((type(one), type(other)))
        if do is None:
            raise Fault(cannot(name, one, other))
        return do(frame, one, other)

    return run


def cannot(name: str, one: Any, other: Any) -> str:
    """Say that an operator does not take two values, and what would help."""
    sign = SIGNS.get(name, name)
    kinds = name_of(one), name_of(other)
    text = f"`{sign}` does not take {a(kinds[0])} and {a(kinds[1])}"
    if name == "_+_" and "string" in kinds:
        return f"{text}; make both strings with string(…), or write text with ${{…}} in it"
    if "null" in kinds:
        return f"{text}; give what may be missing a value with default(…, …)"
    return text


def negate(value: Any) -> Any:
    if type(value) is int:
        return checked(-value)
    if type(value) is float:
        return -value
    raise Fault(f"`-` does not take {a(name_of(value))}")


def equal(frame: Frame, one: Any, other: Any, depth: int = 0) -> bool:
    """Return whether two values are equal: numbers of any types by value, all else by type too."""
    kind, other_kind = type(one), type(other)
    if kind is not other_kind:
        return kind in _NUMBERS and other_kind in _NUMBERS and bool(one == other)
    if kind is str or kind is bytes:
        frame.read(len(one))
        return bool(one == other)
    if kind is list:
        _deeper(frame, depth, len(one))
        return len(one) == len(other) and all(
            equal(frame, a, b, depth + 1) for a, b in zip(one, other, strict=True)
        )
    if kind is dict:
        _deeper(frame, depth, len(one))
        return one.keys() == other.keys() and all(
            equal(frame, part, other[key], depth + 1) for key, part in one.items()
        )
    return bool(one == other)


def _deeper(frame: Frame, depth: int, items: int) -> None:
    if depth > _DEEPEST:
        raise Fault(f"a value nested deeper than {_DEEPEST} levels cannot be compared")
    frame.spend(1 + items)


_ORDERS: dict[str, Callable[[Any, Any], bool]] = {
    "_<_": operator.lt,
    "_<=_": operator.le,
    "_>_": operator.gt,
    "_>=_": operator.ge,
}
_ORDERED = frozenset({bool, str, bytes, datetime, timedelta})


def order(name: str) -> Binary:
    """Return a comparison of two values. It raises `Fault` for what has no order."""
    compare = _ORDERS[name]

    def run(frame: Frame, one: Any, other: Any) -> bool:
        kind, other_kind = type(one), type(other)
        if (kind in _NUMBERS and other_kind in _NUMBERS) or (
            kind is other_kind and kind in _ORDERED
        ):
            if kind is str or kind is bytes:
                frame.read(min(len(one), len(other)))
            return compare(one, other)
        raise Fault(cannot(name, one, other))

    return run


def contains(frame: Frame, item: Any, whole: Any) -> bool:
    """Return `item in whole`: an item of a list, or a key of a map."""
    if type(whole) is dict and type(item) in _KEYS:
        return type(item) is str and item in whole
    if type(whole) is list:
        frame.spend(1 + len(whole))
        return any(equal(frame, item, one) for one in whole)
    if type(whole) is str:
        raise Fault("`in` looks into lists and maps; for a string write text.contains(part)")
    raise Fault(cannot("@in", item, whole))
