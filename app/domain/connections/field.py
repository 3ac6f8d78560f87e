"""One thing that is asked for, of a connection."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec


class Look(StrEnum):
    """What a field is filled with."""

    LINE = "line"
    LINES = "lines"
    """Several, one a line."""
    BLOCK = "block"
    """A text of several lines, such as a certificate."""
    CHOICE = "choice"
    TICK = "tick"


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is asked for; `choices` maps values to labels."""

    name: str
    label: str
    help: str = ""
    look: Look = Look.LINE
    choices: Mapping[str, str] = {}
    default: str = ""
    example: str = ""
    is_optional: bool = False
    is_secret: bool = False
    decides: bool = False
    """Whether other fields depend on it."""
    pattern: str = ""
    """A regular expression that all of what is typed must match, if anything is."""
    form: str = ""
    """What to say of what does not: `A region is two letters and a number, such as fr1.`"""


def secret(name: str, label: str, help_: str = "", **more: object) -> Field:
    return msgspec.convert(
        {"name": name, "label": label, "help": help_, "is_secret": True, **more}, Field
    )
