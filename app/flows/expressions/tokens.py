"""The words of an expression, also of one that is half written.

For what must be known without CEL: where `${…}` ends, what stands at the cursor, which colour
a word has. Every character belongs to one token, whatever the text.
Source: cel-spec, doc/langdef.md, "Syntax".
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import NamedTuple


class Kind(StrEnum):
    SPACE = "space"
    COMMENT = "comment"
    NUMBER = "number"
    STRING = "string"
    """A string or bytes, with its prefix and quotes."""
    NAME = "name"
    """A name or a word such as `in` and `true`."""
    QUOTED = "quoted"
    """A field in backticks."""
    SIGN = "sign"
    BAD = "bad"
    """A character that no expression has, or a string without an end."""


class Token(NamedTuple):
    kind: Kind
    start: int
    end: int
    text: str


_TOKEN = re.compile(
    r"""
    (?P<space>\s+)
  | (?P<comment>//[^\n]*)
  | (?P<number>0[xX][0-9a-fA-F]+[uU]?|(?:\d+\.\d+|\.\d+|\d+(?=[eE]))(?:[eE][+-]?\d+)?|\d+[uU]?)
  | (?P<string>
        (?:[rR][bB]?|[bB][rR])
        (?:\"\"\".*?\"\"\"|'''.*?'''|\"(?!\"\")[^\"\n\r]*\"|'(?!'')[^'\n\r]*')
      | [bB]?
        (?:\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''(?:[^\\]|\\.)*?'''
          |\"(?!\"\")(?:[^\"\\\n\r]|\\.)*\"|'(?!'')(?:[^'\\\n\r]|\\.)*'|\"\"|'')
    )
  | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
  | (?P<quoted>`[A-Za-z0-9_.\-/ ]+`)
  | (?P<sign>&&|\|\||[=!<>]=|[-+*/%!<>?:.,()\[\]{}])
  | (?P<bad>.)
    """,
    re.VERBOSE | re.DOTALL,
)
WORDS = frozenset({"true", "false", "null", "in"})
_ESCAPE = re.compile(
    r"\\(?:([abfnrtv\\?\"'`])|[xX]([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})"
    r"|([0-3][0-7]{2}))"
)
_SIMPLE = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def tokens(text: str, start: int = 0) -> Iterator[Token]:
    """Yield the tokens of `text` from `start` on; together they are the text."""
    while start < len(text):
        found = _TOKEN.match(text, start)
        # The last alternative takes any character, so there is always one.
        assert found is not None  # noqa: S101
        yield Token(Kind(found.lastgroup or "bad"), start, found.end(), found[0])
        start = found.end()


def words(text: str, start: int = 0) -> list[Token]:
    """Return the tokens of `text` that mean something: no space, no comment."""
    return [one for one in tokens(text, start) if one.kind not in (Kind.SPACE, Kind.COMMENT)]


def string_value(token: str) -> str | None:
    """Return what a string literal says; None for bytes and for what is no string."""
    found = re.match(r"([rRbB]{0,2})('''|\"\"\"|'|\")", token)
    if found is None or "b" in found[1].lower():
        return None
    inner = token[found.end() : -len(found[2])]
    return inner if found[1] else _ESCAPE.sub(_unescaped, inner)


def _unescaped(found: re.Match[str]) -> str:
    simple, *numbers = found.groups()
    if simple is not None:
        return _SIMPLE.get(simple, simple)
    *hexes, octal = numbers
    code = int(octal, 8) if octal else int(next(one for one in hexes if one), 16)
    return chr(code) if code <= 0x10FFFF else found[0]
