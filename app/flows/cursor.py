"""What stands at a place of a text that is being written: which expression, and where in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.flows.expressions.template import MAX_SOURCE_CHARS
from app.flows.expressions.tokens import Kind, Token, tokens

LOOPS = ("all", "exists", "exists_one", "map", "filter")
"""Macros whose first argument names a variable for the items."""
_OPENING = {")": "(", "]": "[", "}": "{"}


class Region(NamedTuple):
    """An expression inside of a parameter's text."""

    start: int
    end: int


@dataclass(frozen=True)
class Place:
    """Where the cursor is in an expression; offsets are of its source."""

    partial: str
    """What is written of the word at the cursor, up to it."""
    start: int
    end: int
    """The word at the cursor, whole."""
    operand: str | None = None
    """The source before the dot or bracket that the word stands behind."""
    dot: int = 0
    """Where that dot or bracket is."""
    quote: str | None = None
    """In a key: the quote that opens it, or nothing after a bare bracket."""
    bound: Mapping[str, str] = field(default_factory=dict)
    """Variables of the macros around, with the source of what they go over."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Names bound by `cel.bind` around, with the source of their value."""


def region_at(text: str, cursor: int) -> Region | None:
    """Return the expression that the cursor is in; None where the text is plain.

    The text is a parameter's value: `=…` is one expression, else each `${…}` is, also while its
    end is not written yet.
    """
    if text.startswith("=="):
        return None
    if text.startswith("="):
        return Region(1, len(text)) if cursor >= 1 else None
    start = 0
    while 0 <= (opening := text.find("${", start)) < cursor - 1:
        if opening and text[opening - 1] == "$":
            start = opening + 2
            continue
        end = _end(text, opening + 2)
        if cursor <= end:
            return Region(opening + 2, end)
        start = end + 1
    return None


def _end(text: str, start: int) -> int:
    depth = 0
    limit = min(len(text), start + MAX_SOURCE_CHARS)
    for token in tokens(text[:limit], start):
        depth += (token.text == "{") - (token.text == "}")
        if depth < 0:
            return token.start
    return limit


def place_at(source: str, cursor: int) -> Place | None:
    """Return where the cursor is; None inside of a string, a comment or a number."""
    before = [one for one in tokens(source[:cursor]) if one.kind is not Kind.SPACE]
    if before and before[-1].kind is Kind.COMMENT:
        return None
    before = [one for one in before if one.kind is not Kind.COMMENT]
    bound, named = _variables(source, before)
    opened = next((at for at, one in enumerate(before) if one.kind is Kind.BAD), None)
    if opened is not None:
        return _key(source, cursor, before[: opened + 1], bound, named)
    partial = ""
    if before and before[-1].end == cursor:
        if before[-1].kind in (Kind.NUMBER, Kind.STRING):
            return None
        if before[-1].kind is Kind.NAME:
            partial = before.pop().text
    start, end = cursor - len(partial), _word_end(source, cursor)
    last = before[-1].text if before else ""
    if last == "." or (last == "[" and _operand_start(before[:-1]) is not None):
        operand = _operand(source, before[:-1])
        if operand is None:
            return None
        quote = "" if last == "[" else None
        end += last == "[" and source[end : end + 1] == "]"
        return Place(partial, start, end, operand, before[-1].start, quote, bound, named)
    return Place(partial, start, end, bound=bound, named=named)


def _key(
    source: str, cursor: int, before: list[Token], bound: dict[str, str], named: dict[str, str]
) -> Place | None:
    """Return the place in a key whose quote is open, as in `steps['cr`."""
    quote = before[-1]
    if quote.text not in ("'", '"') or len(before) < 3 or before[-2].text != "[":
        return None
    operand = _operand(source, before[:-2])
    if operand is None:
        return None
    end = cursor
    while end < len(source) and source[end] not in "'\"]\n":
        end += 1
    partial = source[quote.end : cursor]
    end += source[end : end + 1] == quote.text
    end += source[end : end + 1] == "]"
    return Place(partial, quote.start, end, operand, before[-2].start, quote.text, bound, named)


def _word_end(source: str, at: int) -> int:
    while at < len(source) and (source[at].isalnum() or source[at] == "_"):
        at += 1
    return at


def _operand(source: str, before: list[Token]) -> str | None:
    start = _operand_start(before)
    return None if start is None else source[start : before[-1].end]


def _operand_start(before: list[Token]) -> int | None:
    """Return where the value begins whose last token is the last of `before`; None for no value."""
    at = len(before) - 1
    start: int | None = None
    while at >= 0:
        token = before[at]
        if token.text in _OPENING:
            opening = _opening(before, at)
            if opening is None:
                return start
            at, start = opening - 1, before[opening].start
            # A call or an index belongs to the value before it; a list or a map is one itself.
            if token.text != "}" and at >= 0 and _ends_value(before[at]):
                continue
        elif token.kind in (Kind.NAME, Kind.QUOTED, Kind.STRING, Kind.NUMBER):
            at, start = at - 1, token.start
        else:
            return start
        if at < 0 or before[at].text != ".":
            return start
        at -= 1
    return start


def _ends_value(token: Token) -> bool:
    return token.kind in (Kind.NAME, Kind.QUOTED, Kind.STRING) or token.text in (")", "]")


def _opening(before: list[Token], at: int) -> int | None:
    """Return the index of the bracket that the one at `at` closes."""
    depth = 0
    for index in range(at, -1, -1):
        if before[index].kind is Kind.SIGN:
            depth += before[index].text in _OPENING
            depth -= before[index].text in _OPENING.values()
            if depth == 0:
                return index
    return None


def _variables(source: str, before: list[Token]) -> tuple[dict[str, str], dict[str, str]]:
    """Return the variables of the macros that are open at the end of `before`."""
    bound: dict[str, str] = {}
    named: dict[str, str] = {}
    open_ = [at for at, one in enumerate(before) if one.text == "(" and _is_open(before, at)]
    for at in open_:
        if at < 1 or at + 2 >= len(before) or before[at + 2].text != ",":
            continue
        macro, variable = before[at - 1].text, before[at + 1]
        if variable.kind is not Kind.NAME or at < 3 or before[at - 2].text != ".":
            continue
        if macro in LOOPS and (over := _operand(source, before[: at - 2])) is not None:
            bound[variable.text] = over
        if macro == "bind" and before[at - 3].text == "cel":
            comma = _comma(before, at + 3)
            if comma is not None:
                named[variable.text] = source[before[at + 3].start : before[comma - 1].end]
    return bound, named


def _is_open(before: list[Token], at: int) -> bool:
    depth = 0
    for one in before[at:]:
        if one.kind is Kind.SIGN:
            depth += one.text in _OPENING.values()
            depth -= one.text in _OPENING
            if depth == 0:
                return False
    return True


def _comma(before: list[Token], start: int) -> int | None:
    """Return the index of the first comma from `start` on that is in no brackets of its own."""
    depth = 0
    for at in range(start, len(before)):
        depth += (before[at].text in _OPENING.values()) - (before[at].text in _OPENING)
        if before[at].text == "," and depth == 0:
            return at if at > start else None
    return None
