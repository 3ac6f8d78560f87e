"""What a parameter's text would come to with sample data, shown while it is written."""

from collections.abc import Mapping
from typing import Any

import msgspec

from app.flows.cursor import Region
from app.flows.expressions import BadExpression, is_expression, resolve, sources_of
from app.flows.expressions.program import program_for
from app.flows.expressions.resolve import found_in
from app.flows.redact import redacted
from app.flows.shapes import Shape, schema_of_value

SHOWN_CHARS = 2_000


class Preview(msgspec.Struct, frozen=True):
    """A value as it is shown, or what is wrong; one of the two is empty."""

    value: str = ""
    """As JSON, 2,000 characters at most; text as it is."""
    type: str = ""
    is_cut: bool = False
    problem: str = ""
    start: int = 0
    end: int = 0
    """Where in the text the problem is."""


def preview(text: str, scope: Mapping[str, Any]) -> Preview:
    """Return what `text`, a parameter's whole value, comes to in a sample scope.

    Pure, and bounded as every expression is (some 50 ms). What is named like a secret is hidden.
    """
    try:
        value = resolve(text, scope)
    except BadExpression as error:
        place = _place(text, error)
        return Preview(problem=_short(error), start=place.start, end=place.end)
    shown = _hidden(text, value, scope)
    is_text = isinstance(shown, str)
    written = shown if is_text else msgspec.json.format(msgspec.json.encode(shown)).decode()
    kind = Shape(schema_of_value(value)).text if sources_of(text) else "string"
    return Preview(written[:SHOWN_CHARS], kind, is_cut=len(written) > SHOWN_CHARS)


def _hidden(text: str, value: Any, scope: Mapping[str, Any]) -> Any:
    """Return the value without what is named like a secret, by the name it is reached by too."""
    path = program_for(text[1:].strip(), scope).path if is_expression(text) else None
    if path is None:
        return redacted(value)
    return redacted({path[-1]: value})[path[-1]]


def _short(error: BadExpression) -> str:
    """Return the reason with CEL's own words; the source is there to be seen."""
    return f"{error.reason}. CEL says: {error.cel}" if error.cel else error.reason


def _place(text: str, error: BadExpression) -> Region:
    """Return where in the whole text an error of one of its expressions is."""
    if error.source == text and not is_expression(text):
        at = error.at or 0
        return Region(at, len(text))
    for _, source, start in found_in(text):
        if source == error.source:
            end = start + len(source)
            return Region(start + error.at, end) if error.at is not None else Region(start, end)
    return Region(0, len(text))
