"""`"%s has %d".format([…])`, as CEL's string extension has it.

Source: cel-spec, extensions, "Strings: Format".
"""

import re
from datetime import datetime, timedelta
from typing import Any

from app.flows.expressions.errors import Fault
from app.flows.expressions.functions.convert import as_string
from app.flows.expressions.functions.function import offer
from app.flows.expressions.functions.text import GROUP
from app.flows.expressions.meter import Frame
from app.flows.expressions.values import Type, a, name_of

_CLAUSE = re.compile(r"%(?:\.([0-9]{1,3}))?(.?)", re.DOTALL)
_DEEPEST = 32


@offer(
    GROUP,
    "string.format(values: list) -> string",
    doc="The text with %s, %d, %f, %e, %x, %X, %o and %b filled in; %.2f keeps two digits.",
    examples=(
        ('"%s has %d disks".format(["srv-1", 4])', "srv-1 has 4 disks"),
        ('"%.2f €".format([9.5])', "9.50 €"),
    ),
)
def format_(frame: Frame, pattern: str, values: list[Any]) -> str:
    made: list[str] = []
    length = at = used = 0
    for found in _CLAUSE.finditer(pattern):
        if found[2] == "%":
            text = "%"
        else:
            if used >= len(values):
                raise Fault(f"format() has {len(values)} values; %{found[2]} wants another")
            text = _clause(frame, found[2], found[1], values[used])
            used += 1
        made += (pattern[at : found.start()], text)
        length += found.start() - at + len(text)
        frame.write(length // 16)
        at = found.end()
    made.append(pattern[at:])
    frame.write(length + len(pattern) - at)
    return "".join(made)


def _clause(frame: Frame, code: str, digits: str | None, value: Any) -> str:
    is_int = isinstance(value, int) and not isinstance(value, bool)
    precision = 6 if digits is None else min(int(digits), 100)
    text: str | None = None
    match code:
        case "s":
            text = _written(frame, value, 0)
        case "x" | "X":
            text = _hex(frame, value) if code == "x" else _hex(frame, value).upper()
        case "d" if is_int:
            text = str(int(value))
        case "o" if is_int:
            text = f"{int(value):o}"
        case "b" if isinstance(value, int):
            text = f"{int(value):b}"
        case "d" | "f" if is_int or isinstance(value, float):
            text = f"{float(value):.{precision}f}"
        case "e" if is_int or isinstance(value, float):
            text = f"{float(value):.{precision}e}"
        case "d" | "f" | "e" | "o" | "b":
            raise Fault(f"format(): %{code} does not take {a(name_of(value))}")
    if text is None:
        raise Fault(f"format() does not know %{code}; it knows s, d, f, e, x, X, o, b and %%")
    return text


def _hex(frame: Frame, value: Any) -> str:
    match value:
        case bool():
            raise Fault("format(): %x does not take a bool")
        case int():
            return f"{int(value):x}"
        case str() | bytes():
            frame.write(len(value) * 8)
            return (value.encode() if isinstance(value, str) else value).hex()
        case _:
            raise Fault(f"format(): %x does not take {a(name_of(value))}")


def _written(frame: Frame, value: Any, depth: int) -> str:
    frame.spend(4)
    if depth > _DEEPEST:
        raise Fault(f"format() writes no more than {_DEEPEST} levels of lists and maps")
    match value:
        case None:
            return "null"
        case Type():
            return str(value)
        case list():
            return f"[{', '.join(_written(frame, one, depth + 1) for one in value)}]"
        case dict():
            pairs = (f"{key}: {_written(frame, value[key], depth + 1)}" for key in sorted(value))
            return f"{{{', '.join(pairs)}}}"
        case str():
            frame.write(len(value))
            return value
        case datetime() | timedelta() | bool() | int() | float() | bytes():
            return as_string(value)
        case _:
            raise Fault(f"format(): %s does not take {a(name_of(value))}")


FUNCTIONS = (format_,)
