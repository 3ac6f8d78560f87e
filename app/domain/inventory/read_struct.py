"""Turn facts that somebody typed into a struct, and say what is wrong in words."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from app.core.errors import Invalid

T = TypeVar("T")

_WORDS = (
    (r"length >= 1\b", "Fill it in."),
    (r"length <= (\d+)", "At most {0} characters."),
    (r">= (-?\d+)", "At least {0}."),
    (r"<= (\d+)", "At most {0}."),
    (r"\^\[0-9a-f\]\{2\}", "Write it as 02:00:5e:10:00:01."),
    (r"Expected `int", "Type a whole number."),
    (r"Expected `date|Invalid RFC3339", "Write it as 2027-03-01."),
    (r"Invalid enum value '(.*)'", "{0} is none of those that can be chosen."),
)


def read_struct(facts: Mapping[str, Any], kind: type[T]) -> T:
    """Return a struct of `kind`; numbers may be text. Raises Invalid on the first bad field."""
    try:
        return msgspec.convert(facts, kind, strict=False)
    except msgspec.ValidationError as error:
        words, _, path = str(error).partition(" - at `$.")
        if missing := re.search(r"required field `(\w+)`", words):
            raise Invalid({missing[1]: "Fill it in."}) from error
        field = re.match(r"\w+", path)
        raise Invalid({field[0] if field else "": _plainly(words)}) from error


def _plainly(words: str) -> str:
    for pattern, says in _WORDS:
        if match := re.search(pattern, words):
            return says.format(*match.groups())
    return f"{words}."
