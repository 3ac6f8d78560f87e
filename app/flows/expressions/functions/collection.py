"""Functions of lists and maps, and of the numbers in them."""

import math
from typing import Any

from app.flows.expressions.errors import Fault, Missing
from app.flows.expressions.functions.function import offer
from app.flows.expressions.meter import Frame
from app.flows.expressions.operators import arithmetic, equal, order
from app.flows.expressions.values import Uint, a, name_of

GROUP = "Lists and maps"
NUMBERS = "Numbers"
_less = order("_<_")
_plus = arithmetic("_+_")


@offer(
    GROUP,
    "size(value: string) -> int",
    "size(value: bytes) -> int",
    "size(value: list) -> int",
    "size(value: map) -> int",
    doc="How many characters, bytes, items or keys there are; also as a method, `list.size()`.",
    examples=(("size([1, 2, 3])", 3), ('"rack".size()', 4)),
    is_cel=True,
)
def size(_: Frame, value: Any) -> int:
    return len(value)


@offer(
    GROUP,
    "list.sort() -> list",
    "list.sort(key: string) -> list",
    doc="The items in order; items that are maps by one of their keys.",
    examples=(
        ("[3, 1, 2].sort()", [1, 2, 3]),
        ('[{"n": 2}, {"n": 1}].sort("n")', [{"n": 1}, {"n": 2}]),
    ),
)
def sort(frame: Frame, items: list[Any], key: str | None = None) -> list[Any]:
    values = items if key is None else [_field(item, key) for item in items]
    for value in values[1:]:
        _less(frame, values[0], value)  # one of another type is a fault
    rounds = max(1, len(items).bit_length())
    frame.spend(len(items) * rounds // 4)
    for value in values:
        if type(value) is str:
            frame.read(len(value) * rounds)
    if any(value != value for value in values):  # noqa: PLR0124 - no number has no place
        raise Fault("sort() cannot place NaN")
    by_value = sorted(range(len(items)), key=values.__getitem__)
    return [items[at] for at in by_value]


def _field(item: Any, key: str) -> Any:
    if type(item) is not dict:
        raise Fault(f"sort({key!r}) takes a list of maps; an item is {a(name_of(item))}")
    if key not in item:
        raise Missing(f"an item has no {key} to be sorted by")
    return item[key]


@offer(
    GROUP,
    "list.unique() -> list",
    doc="Each item once, where it comes first.",
    examples=(("[2, 1, 2].unique()", [2, 1]),),
)
def unique(frame: Frame, items: list[Any]) -> list[Any]:
    seen: set[tuple[str, Any]] = set()
    others: list[Any] = []
    made: list[Any] = []
    for item in items:
        if (key := _hashable(item)) is not None:
            if key in seen:
                continue
            seen.add(key)
        else:
            frame.spend(1 + len(others))
            if any(equal(frame, item, other) for other in others):
                continue
            others.append(item)
        made.append(item)
    return made


def _hashable(item: Any) -> tuple[str, Any] | None:
    """Return what stands for a simple value: 1 and 1.0 are the same, 1 and true are not."""
    if type(item) in (int, float, Uint):
        return "number", item
    if item is None or type(item) in (str, bool, bytes):
        return name_of(item), item
    return None


@offer(
    GROUP,
    "list.first() -> dyn",
    doc="The first item; missing when there is none.",
    examples=(("[7, 8].first()", 7), ("default([].first(), 0)", 0)),
)
def first(_: Frame, items: list[Any]) -> Any:
    if not items:
        raise Missing("the list is empty, it has no first item")
    return items[0]


@offer(
    GROUP,
    "list.last() -> dyn",
    doc="The last item; missing when there is none.",
    examples=(("[7, 8].last()", 8),),
)
def last(_: Frame, items: list[Any]) -> Any:
    if not items:
        raise Missing("the list is empty, it has no last item")
    return items[-1]


@offer(
    GROUP,
    "list.slice(start: int, end: int) -> list",
    doc="The items from start up to end and without it, as many as there are.",
    examples=(("[1, 2, 3, 4].slice(1, 3)", [2, 3]),),
)
def slice_(_: Frame, items: list[Any], start: int, end: int) -> list[Any]:
    if start < 0 or end < 0:
        raise Fault("slice() counts from the start: use no negative positions")
    return items[start:end]


@offer(
    GROUP,
    "list.flatten() -> list",
    doc="The items of the lists in a list, one level.",
    examples=(("[[1, 2], [3]].flatten()", [1, 2, 3]),),
)
def flatten(frame: Frame, items: list[Any]) -> list[Any]:
    frame.fill(sum(len(item) if type(item) is list else 1 for item in items))
    return [part for item in items for part in (item if type(item) is list else [item])]


@offer(
    GROUP,
    "range(count: int) -> list",
    doc="The numbers from 0 up to a count, without it.",
    examples=(
        ("range(3)", [0, 1, 2]),
        ('range(2).map(n, "web-" + string(n + 1))', ["web-1", "web-2"]),
    ),
)
def range_(frame: Frame, count: int) -> list[int]:
    frame.fill(max(0, count) * 8)
    return list(range(count))


@offer(
    GROUP,
    "map.keys() -> list",
    doc="The keys of a map, in order.",
    examples=(('{"b": 1, "a": 2}.keys()', ["a", "b"]),),
)
def keys(_: Frame, items: dict[str, Any]) -> list[str]:
    return sorted(map(str, items))


@offer(
    GROUP,
    "map.values() -> list",
    doc="The values of a map, in the order of its keys.",
    examples=(('{"b": 1, "a": 2}.values()', [2, 1]),),
)
def values(_: Frame, items: dict[str, Any]) -> list[Any]:
    return [items[key] for key in sorted(items, key=str)]


@offer(
    GROUP,
    "map.merge(other: map) -> map",
    doc="Both maps as one; where both have a key, the other's value counts.",
    examples=(('{"a": 1, "b": 1}.merge({"b": 2})', {"a": 1, "b": 2}),),
)
def merge(_: Frame, items: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    return items | other


@offer(
    NUMBERS,
    "list.sum() -> dyn",
    doc="The items added up; 0 for none.",
    examples=(("[1, 2, 3].sum()", 6),),
)
def sum_(frame: Frame, items: list[Any]) -> Any:
    total: Any = None
    for item in items:
        total = item if total is None else _plus(frame, total, item)
    return 0 if total is None else total


@offer(
    NUMBERS,
    "list.min() -> dyn",
    doc="The least item; missing when there is none.",
    examples=(("[3, 1, 2].min()", 1),),
)
def min_(frame: Frame, items: list[Any]) -> Any:
    return _extreme(frame, items, is_least=True)


@offer(
    NUMBERS,
    "list.max() -> dyn",
    doc="The greatest item; missing when there is none.",
    examples=(("[input.count, 10].max()", 10),),
)
def max_(frame: Frame, items: list[Any]) -> Any:
    return _extreme(frame, items, is_least=False)


def _extreme(frame: Frame, items: list[Any], *, is_least: bool) -> Any:
    if not items:
        raise Missing(f"the list is empty, it has no {'least' if is_least else 'greatest'} item")
    best = items[0]
    for item in items[1:]:
        if _less(frame, item, best) if is_least else _less(frame, best, item):
            best = item
    return best


@offer(
    NUMBERS,
    "math.abs(number: int) -> int",
    "math.abs(number: double) -> double",
    doc="The number without its sign.",
    examples=(("math.abs(-3)", 3),),
)
def abs_(_: Frame, number: Any) -> Any:
    return abs(number)


@offer(
    NUMBERS,
    "math.round(number: dyn) -> dyn",
    "math.round(number: dyn, digits: int) -> dyn",
    doc="The nearest number with so many digits after the point; halves away from zero.",
    examples=(("math.round(2.5)", 3), ("math.round(3.14159, 2)", 3.14)),
)
def round_(_: Frame, number: Any, digits: int = 0) -> Any:
    value = _number("round", number)
    if type(value) is int or not math.isfinite(value):
        return value
    if not 0 <= digits <= 15:
        raise Fault("round() keeps 0 to 15 digits")
    scale = 10.0**digits
    if abs(value) * scale > 2**52:
        return value
    whole = math.floor(abs(value) * scale + 0.5) / scale
    return math.copysign(whole, value)


@offer(
    NUMBERS,
    "math.ceil(number: dyn) -> dyn",
    doc="The next whole number, upwards.",
    examples=(("math.ceil(2.1)", 3),),
)
def ceil(_: Frame, number: Any) -> Any:
    value = _number("ceil", number)
    return float(math.ceil(value)) if type(value) is float and math.isfinite(value) else value


@offer(
    NUMBERS,
    "math.floor(number: dyn) -> dyn",
    doc="The next whole number, downwards.",
    examples=(("math.floor(2.9)", 2),),
)
def floor(_: Frame, number: Any) -> Any:
    value = _number("floor", number)
    return float(math.floor(value)) if type(value) is float and math.isfinite(value) else value


def _number(name: str, value: Any) -> int | float:
    if type(value) in (int, float):
        return value  # type: ignore[no-any-return]
    raise Fault(f"math.{name}() takes a number, not {a(name_of(value))}")


FUNCTIONS = (
    size, sort, unique, first, last, slice_, flatten, range_, keys, values, merge,
    sum_, min_, max_, abs_, round_, ceil, floor,
)  # fmt: skip
