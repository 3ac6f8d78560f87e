"""Turn facts that somebody typed into a struct, and say what is wrong in words."""

import re
from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from app.core.choices import said
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
)


def read_struct(facts: Mapping[str, Any], kind: type[T]) -> T:
    """Return a struct of `kind`; numbers may be text. Raises Invalid, with every bad field."""
    try:
        return msgspec.convert(facts, kind, strict=False)
    except msgspec.ValidationError as error:
        raise Invalid(_every_fault(facts, kind) or _fault(said(error, kind))) from error


def _every_fault(facts: Mapping[str, Any], kind: type[Any]) -> dict[str, str]:
    """Return what is wrong with each field in itself; msgspec tells the first one alone."""
    faults = {}
    for field in msgspec.structs.fields(kind):
        if field.encode_name not in facts:
            if field.required:
                faults[field.encode_name] = "Fill it in."
            continue
        try:
            msgspec.convert(facts[field.encode_name], field.type, strict=False)
        except msgspec.ValidationError as error:
            faults[field.encode_name] = _plainly(said(error, field.type).partition(" - at `$")[0])
    return faults


def _fault(text: str) -> dict[str, str]:
    """Return what is wrong with the fields together, at the field that is named."""
    words, _, path = text.partition(" - at `$.")
    field = re.match(r"\w+", path)
    return {field[0] if field else "": _plainly(words)}


def _plainly(words: str) -> str:
    for pattern, says in _WORDS:
        if match := re.search(pattern, words):
            return says.format(*match.groups())
    return f"{words}."
