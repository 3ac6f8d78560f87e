"""Whether a value is one that a variable of a game takes. Pure.

Panels say it in Laravel's words, `required|string|max:20`, and refuse a server with any other value
once it is paid for. Rules that are not known here are the panel's to judge.
"""

import re
from collections.abc import Callable, Mapping

_NUMBER = re.compile(r"-?\d+(\.\d+)?")
_FLAGS = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE, "u": re.UNICODE}
LONGEST = 500
"""No pattern is tried on longer values."""


def value_fault(rules: str, value: str) -> str:
    """Return why a variable with these rules does not take a value; "" when it does."""
    names = {rule.partition(":")[0] for rule in rules.split("|")}
    if not value:
        return "It must not be empty." if "required" in names else ""
    for rule in rules.split("|"):
        name, _, argument = rule.partition(":")
        judge = _JUDGES.get(name)
        if judge and (fault := judge(argument, value)):
            return fault
        if name in _BOUNDS and (fault := _out_of_bounds(name, argument, value, names)):
            return fault
    return ""


def _listed(argument: str, value: str) -> str:
    known = [word.strip('"') for word in argument.split(",")]
    return "" if value in known else f"It is one of {', '.join(known)}."


def _whole(_: str, value: str) -> str:
    return "" if re.fullmatch(r"-?\d+", value) else "It is a whole number."


def _number(_: str, value: str) -> str:
    return "" if _NUMBER.fullmatch(value) else "It is a number."


def _yes_or_no(_: str, value: str) -> str:
    return "" if value in ("0", "1") else "It is 0 or 1."


def _pattern(argument: str, value: str) -> str:
    """Judge by a pattern between two slashes; one that is not understood here is passed over."""
    found = re.fullmatch(r"/(.*)/([a-zA-Z]*)", argument, re.DOTALL)
    if found is None or len(value) > LONGEST:
        return ""
    flags = re.RegexFlag(0)
    for letter in found[2]:
        if letter not in _FLAGS:
            return ""
        flags |= _FLAGS[letter]
    try:
        is_fit = re.search(found[1], value, flags) is not None
    except re.error:
        return ""
    return "" if is_fit else f"It is of the form {argument}."


_JUDGES: Mapping[str, Callable[[str, str], str]] = {
    "in": _listed,
    "integer": _whole,
    "int": _whole,
    "numeric": _number,
    "boolean": _yes_or_no,
    "bool": _yes_or_no,
    "regex": _pattern,
}
_BOUNDS = ("min", "max", "between", "size")


def _out_of_bounds(name: str, argument: str, value: str, names: set[str]) -> str:
    """Judge the number, or the length of a text."""
    bounds = argument.split(",")
    if not all(map(_NUMBER.fullmatch, bounds)) or len(bounds) != (2 if name == "between" else 1):
        return ""
    is_number = bool(names & {"integer", "int", "numeric"})
    if is_number and not _NUMBER.fullmatch(value):
        return ""
    size = float(value) if is_number else float(len(value))
    low, high = float(bounds[0]), float(bounds[-1])
    of = "" if is_number else " characters"
    if name in ("min", "between", "size") and size < low:
        return f"It is at least {bounds[0]}{of}."
    if name in ("max", "between", "size") and size > high:
        return f"It is at most {bounds[-1]}{of}."
    return ""
