"""The values that expressions work on, and how they leave as JSON.

CEL's int, double, string, bytes, bool, null, list, map, timestamp and duration are Python's
own; `Uint` and `Type` are the two that Python has no word for. JSON's whole numbers are ints.
"""

import math
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from app.flows.expressions.errors import Fault

MAX_RESULT_BYTES = 1_000_000
MAX_DEPTH = 32
INT_MIN, INT_MAX = -(2**63), 2**63 - 1
UINT_MAX = 2**64 - 1
_SAFE = 2.0**53
"""Up to here every whole double is one int."""


class Uint(int):
    """An unsigned integer of CEL, which mixes with no int."""

    __slots__ = ()


class Type(str):
    """A type as a value, such as `type(input.n) == int` compares."""

    __slots__ = ()


NAMES: dict[type, str] = {
    type(None): "null",
    bool: "bool",
    int: "int",
    Uint: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    datetime: "timestamp",
    timedelta: "duration",
    Type: "type",
}


def name_of(value: Any) -> str:
    """Return CEL's name for the type of a value."""
    return NAMES.get(type(value)) or type(value).__name__


def a(name: str) -> str:
    """Return the name of a type as it stands in a sentence: `an int`, `a map`, `null`."""
    if name == "null":
        return name
    return f"{'an' if name[0] in 'aeio' else 'a'} {name}"


def plain(value: Any) -> Any:
    """Return `value` as JSON can say it. Raises `Fault` when it is too large, too deep or no value.

    Whole doubles become ints, timestamps RFC 3339 text, durations text such as `90s`, bytes
    base64. A copy: what the caller does with it changes nothing that an expression sees.
    """
    kind = type(value)
    if kind is int or kind is bool or value is None:
        return value
    if kind is str:
        if len(value) * 6 > MAX_RESULT_BYTES:
            _measure(value)
        return value
    walk = _Walk()
    result = walk.copy(value, 0)
    # A character takes six bytes at most, any other leaf 25.
    if walk.chars * 6 + walk.leaves * 25 > MAX_RESULT_BYTES:
        _measure(result)
    return result


def _measure(value: Any) -> None:
    if len(msgspec.json.encode(value)) > MAX_RESULT_BYTES:
        raise Fault(f"the result is larger than {MAX_RESULT_BYTES:,} bytes as JSON")


class _Walk:
    """Copies a value and counts what it is made of."""

    __slots__ = ("chars", "leaves")

    def __init__(self) -> None:
        self.chars = 0
        self.leaves = 0

    def copy(self, value: Any, depth: int) -> Any:
        if depth > MAX_DEPTH:
            raise Fault(f"the result is nested deeper than {MAX_DEPTH} levels")
        self.leaves += 1
        if self.leaves * 2 + self.chars > MAX_RESULT_BYTES:
            raise Fault(f"the result is larger than {MAX_RESULT_BYTES:,} bytes as JSON")
        kind = type(value)
        if kind is str:
            self.chars += len(value)
            return value
        if kind is int or kind is bool or value is None:
            return value
        if kind is dict:
            self.chars += sum(map(len, value))
            deeper = depth + 1
            return {key: self.copy(part, deeper) for key, part in value.items()}
        if kind is list or kind is tuple:
            deeper = depth + 1
            return [self.copy(part, deeper) for part in value]
        return self._other(value, depth)

    def _other(self, value: Any, depth: int) -> Any:
        if isinstance(value, float):
            if not math.isfinite(value):
                raise Fault(f"the result is {value}, which JSON has no number for")
            return int(value) if value.is_integer() and abs(value) <= _SAFE else value
        write = _WRITTEN.get(type(value))
        if write is None:
            return self.copy(as_value(value), depth)
        text = write(value)
        self.chars += len(text) if isinstance(text, str) else 0
        return text


def as_value(value: Any) -> Any:
    """Return something of Python's that is no value of CEL as one: an UUID as text, for example.

    Raises `Fault` when it cannot be said in JSON.
    """
    try:
        found = msgspec.to_builtins(value)
    except (TypeError, RecursionError) as error:
        raise Fault(f"a {type(value).__name__} is no value of an expression") from error
    if isinstance(found, tuple):
        return list(found)
    if type(found) not in NAMES:
        raise Fault(f"a {type(value).__name__} is no value of an expression")
    return found


def unfit(error: OverflowError | UnicodeError) -> str:
    """Say what is wrong with a value that JSON can bring and nothing can work with."""
    if isinstance(error, OverflowError):
        return "a number is too large to work with"
    return "a string is no valid Unicode: it has half a character in it"


def text_of(value: Any) -> str:
    """Return a plain value as it reads inside a text: null is nothing, maps and lists are JSON."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return msgspec.json.encode(value).decode()


def double_text(value: float) -> str:
    """Return a double as CEL's `string` does: `2`, `0.1`, `1e+300`, `inf`."""
    if value.is_integer() and abs(value) < 1e16:
        return str(int(value))
    return repr(value)


def timestamp_text(moment: datetime) -> str:
    """Return RFC 3339 in UTC, with as many digits of a second as it has (0, 3 or 6)."""
    moment = moment.astimezone(UTC)
    text = moment.replace(microsecond=0, tzinfo=None).isoformat()
    return f"{text}{_fraction(moment.microsecond)}Z"


def duration_text(time: timedelta) -> str:
    """Return seconds, as protocol buffers' JSON does: `5400s`, `-0.500s`."""
    total_us = (time.days * 86_400 + time.seconds) * 1_000_000 + time.microseconds
    sign = "-" if total_us < 0 else ""
    seconds, micros = divmod(abs(total_us), 1_000_000)
    return f"{sign}{seconds}{_fraction(micros)}s"


def _fraction(micros: int) -> str:
    if not micros:
        return ""
    return f".{micros // 1_000:03d}" if micros % 1_000 == 0 else f".{micros:06d}"


_WRITTEN: dict[type, Callable[[Any], Any]] = {
    Uint: int,
    Type: str,
    bytes: msgspec.to_builtins,
    datetime: timestamp_text,
    timedelta: duration_text,
}
"""How what JSON does not know is written."""
