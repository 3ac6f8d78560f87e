"""What was typed into a parameter's field, as a value of the document.

What cannot be read as the field's type is kept as it was typed: validation then names the field
and nothing that someone typed is lost.
"""

from collections.abc import Callable
from typing import Any, Literal, TypeAlias

import msgspec

Mode: TypeAlias = Literal["value", "text", "number", "yes", "json", "lines", "expression"]
"""`value` is taken as it is; `lines` is a list, a line each."""


def value_of(given: Any, mode: Mode) -> Any:
    """Return the value to keep; None, which leaves the parameter out, for an empty field."""
    if mode == "value" or not isinstance(given, str):
        return given
    text = given.strip()
    if not text:
        return None
    return _READERS[mode](given, text)


def _read(text: str) -> Any:
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text


_READERS: dict[Mode, Callable[[str, str], Any]] = {
    # A leading `=` would make an expression of it.
    "text": lambda given, _: f"={given}" if given.startswith("=") else given,
    "expression": lambda _, text: f"={text}",
    "yes": lambda _, text: text == "true",
    "lines": lambda given, _: [line.strip() for line in given.splitlines() if line.strip()],
    "number": lambda _, text: _read(text),
    "json": lambda _, text: _read(text),
}
