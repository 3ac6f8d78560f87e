"""From one type to another, and what a value is."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from app.flows.expressions.errors import Fault
from app.flows.expressions.functions.function import offer
from app.flows.expressions.meter import Frame
from app.flows.expressions.operators import checked, checked_uint
from app.flows.expressions.values import (
    INT_MAX,
    INT_MIN,
    UINT_MAX,
    Type,
    Uint,
    a,
    double_text,
    duration_text,
    name_of,
    timestamp_text,
)

GROUP = "Types"
_INT = re.compile(r"\s*[+-]?[0-9]{1,20}\s*")
_DOUBLE = re.compile(
    r"\s*[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,4})?\s*|\s*[+-]?(?:inf|nan)\s*",
    re.IGNORECASE,
)
_MOMENT = re.compile(
    r"(\d{4}-\d\d-\d\d)[Tt](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)
_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(h|ms|us|µs|ns|m|s)")
_UNITS_US = {"h": 3_600e6, "m": 60e6, "s": 1e6, "ms": 1e3, "us": 1.0, "µs": 1.0, "ns": 1e-3}
_LONGEST_H = 87_660_000
_TRUE = frozenset({"true", "t", "1", "True", "TRUE"})
_FALSE = frozenset({"false", "f", "0", "False", "FALSE"})


@offer(
    GROUP,
    "int(number: dyn) -> int",
    doc="A whole number: of text, of a double without its fraction, of a timestamp the seconds "
    "since 1970.",
    examples=(('int("42")', 42), ("int(2.9)", 2)),
    is_cel=True,
)
def to_int(_: Frame, value: Any) -> int:
    match value:
        case int():
            return checked(int(value))
        case float():
            if not INT_MIN <= value < INT_MAX:
                raise Fault("this double is no int: it is not within 64 bits")
            return int(value)
        case str() if _INT.fullmatch(value):
            return checked(int(value))
        case str():
            raise Fault("this string is no whole number")
        case datetime():
            return int(value.timestamp() // 1)
        case _:
            raise _no(value, "int")


@offer(
    GROUP,
    "uint(number: dyn) -> uint",
    doc="An unsigned whole number; seldom needed, it mixes with no int.",
    examples=(("uint(7)", 7),),
    is_cel=True,
)
def to_uint(_: Frame, value: Any) -> Uint:
    match value:
        case bool() | None:
            raise _no(value, "uint")
        case int():
            return checked_uint(value)
        case float():
            if not 0 <= value < UINT_MAX:
                raise Fault("this double is no uint: it is not within 64 bits")
            return Uint(int(value))
        case str() if _INT.fullmatch(value):
            return checked_uint(int(value))
        case str():
            raise Fault("this string is no whole number")
        case _:
            raise _no(value, "uint")


@offer(
    GROUP,
    "double(number: dyn) -> double",
    doc="A number with a fraction.",
    examples=(('double("1.5")', 1.5), ("double(1) / 4.0", 0.25)),
    is_cel=True,
)
def to_double(_: Frame, value: Any) -> float:
    match value:
        case bool() | None:
            raise _no(value, "double")
        case int() | float():
            return float(value)
        case str() if _DOUBLE.fullmatch(value):
            return float(value)
        case str():
            raise Fault("this string is no number")
        case _:
            raise _no(value, "double")


@offer(
    GROUP,
    "string(value: dyn) -> string",
    doc="As text. Maps and lists are written by json.encode.",
    examples=(("string(42)", "42"), ("string(0.5)", "0.5"), ("string(true)", "true")),
    is_cel=True,
)
def to_string(_: Frame, value: Any) -> str:
    return as_string(value)


def as_string(value: Any) -> str:
    """Return a value as CEL's `string` writes it."""
    if isinstance(value, (dict, list)):
        raise Fault(f"string() does not take {a(name_of(value))}; write json.encode(…)")
    write = _WRITTEN.get(type(value))
    if write is None:
        raise _no(value, "string")
    return write(value)


def _decoded(value: bytes) -> str:
    try:
        return value.decode()
    except UnicodeDecodeError:
        raise Fault("these bytes are no UTF-8 text") from None


_WRITTEN: dict[type, Callable[[Any], str]] = {
    str: str,
    bool: lambda value: "true" if value else "false",
    int: str,
    Uint: lambda value: str(int(value)),
    float: double_text,
    bytes: _decoded,
    datetime: timestamp_text,
    timedelta: duration_text,
}


@offer(
    GROUP,
    "bytes(text: string) -> bytes",
    "bytes(text: bytes) -> bytes",
    doc="The UTF-8 bytes of a text.",
    examples=(('size(bytes("é"))', 2),),
    is_cel=True,
)
def to_bytes(_: Frame, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@offer(
    GROUP,
    "bool(text: string) -> bool",
    "bool(value: bool) -> bool",
    doc='True or false of the text "true" or "false".',
    examples=(('bool("true")', True),),
    is_cel=True,
)
def to_bool(_: Frame, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise Fault("this string is neither true nor false")


@offer(
    GROUP,
    "timestamp(moment: string) -> timestamp",
    "timestamp(seconds: int) -> timestamp",
    "timestamp(moment: timestamp) -> timestamp",
    doc="A moment, of RFC 3339 text or of seconds since 1970.",
    examples=(
        ('timestamp("2026-01-31T12:00:00Z") + duration("36h")', "2026-02-02T00:00:00Z"),
        ("timestamp(0)", "1970-01-01T00:00:00Z"),
    ),
    is_cel=True,
)
def to_timestamp(frame: Frame, value: Any) -> datetime:
    frame.spend(10)
    if isinstance(value, datetime):
        return value
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(0, UTC) + timedelta(seconds=value)
        found = _MOMENT.fullmatch(value)
        if found is not None:
            fraction = (found[3] or "").ljust(6, "0")[:6]
            zone = "+00:00" if found[4] in "Zz" else found[4]
            text = f"{found[1]}T{found[2]}.{fraction}{zone}"
            return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise Fault("this is no moment; write it as 2026-01-31T12:00:00Z")


@offer(
    GROUP,
    "duration(time: string) -> duration",
    "duration(time: duration) -> duration",
    doc="A span of time in h, m, s, ms, us and ns; days are 24h, see also time.days.",
    examples=(('duration("1h30m")', "5400s"), ('duration("90m") > duration("1h")', True)),
    is_cel=True,
)
def to_duration(frame: Frame, value: Any) -> timedelta:
    frame.spend(15)
    if isinstance(value, timedelta):
        return value
    text = value.strip()
    sign = -1 if text.startswith("-") else 1
    text = text[1:] if text[:1] in ("-", "+") else text
    if text == "0":
        return timedelta()
    found = _PART.findall(text) if len(text) <= 100 else []
    if not found or "".join(number + unit for number, unit in found) != text:
        raise Fault("this is no duration; write it as 1h30m, 45s or 250ms")
    micros = sum(float(number) * _UNITS_US[unit] for number, unit in found)
    if micros > _LONGEST_H * 3_600e6:
        raise Fault("this duration is longer than 10,000 years")
    return timedelta(microseconds=sign * int(micros + 1e-6))


@offer(
    GROUP,
    "type(value: dyn) -> type",
    doc="The type of a value, to compare with bool, int, double, string, list, map or null_type.",
    examples=(("type([]) == list", True), ('type("a") == int', False)),
    is_cel=True,
)
def to_type(_: Frame, value: Any) -> Type:
    return Type(name_of(value))


@offer(
    GROUP,
    "dyn(value: dyn) -> dyn",
    doc="The value itself, its type unknown to the checker: for choices between two types.",
    examples=(("true ? dyn(1) : dyn('none')", 1),),
    is_cel=True,
)
def to_dyn(_: Frame, value: Any) -> Any:
    return value


@offer(
    GROUP,
    "default(value: dyn, instead: dyn) -> dyn",
    doc="The first, or the second where the first is missing or null.",
    examples=(('default(input.note, "none")', "none"), ("default(input.count, 1)", 3)),
)
def default(_: Frame, value: Any, instead: Any) -> Any:
    """Compiled by itself (`compile.py`), since it must see its first argument fail."""
    return instead if value is None else value


def _no(value: Any, kind: str) -> Fault:
    return Fault(f"{kind}() does not take {a(name_of(value))}")


FUNCTIONS = (
    default, to_string, to_int, to_double, to_bool, to_timestamp, to_duration, to_bytes, to_uint,
    to_type, to_dyn,
)  # fmt: skip
