"""Text with expressions in it: `Hello ${input.name}`.

`$${` is a literal `${`. Braces, quotes and comments inside an expression are CEL's own, so
`${ {"a": "}"}.a }` is one expression.
"""

from typing import NamedTuple

from app.flows.expressions.errors import BadExpression
from app.flows.expressions.tokens import Kind, tokens

MAX_SOURCE_CHARS = 4_000


class Part(NamedTuple):
    """A piece of a template: text as it stands, or the source of an expression."""

    text: str
    is_source: bool
    start: int
    """Where it stands in the template; of a source, its first character after `${`."""


def parts(text: str) -> tuple[Part, ...]:
    """Return the pieces of a template in order. Raises `BadExpression` where `${` has no end."""
    found: list[Part] = []
    start = 0
    plain: list[str] = []
    while (opening := text.find("${", start)) >= 0:
        if opening > start and text[opening - 1] == "$":
            plain.append(text[start : opening - 1] + "${")
            start = opening + 2
            continue
        plain.append(text[start:opening])
        if literal := "".join(plain):
            found.append(Part(literal, is_source=False, start=start))
        plain = []
        end = end_of(text, opening)
        source = text[opening + 2 : end].strip()
        if not source:
            raise BadExpression(text, "there is nothing between `${` and `}`", at=opening)
        indent = len(text[opening + 2 : end]) - len(text[opening + 2 : end].lstrip())
        found.append(Part(source, is_source=True, start=opening + 2 + indent))
        start = end + 1
    plain.append(text[start:])
    if literal := "".join(plain):
        found.append(Part(literal, is_source=False, start=start))
    return tuple(found)


def end_of(text: str, opening: int) -> int:
    """Return where the `}` of the `${` at `opening` stands. Raises `BadExpression`.

    Looks no further than an expression may be long.
    """
    depth = 0
    limit = opening + 2 + MAX_SOURCE_CHARS
    for token in tokens(text[: limit + 1], opening + 2):
        if token.text == "{":
            depth += 1
        elif token.text == "}":
            if depth == 0:
                return token.start
            depth -= 1
        elif token.kind is Kind.BAD and token.text in "\"'":
            raise BadExpression(
                text, "the quote that opens here inside `${` is never closed", at=token.start
            )
    if len(text) > limit:
        reason = f"the expression after `${{` is longer than {MAX_SOURCE_CHARS} characters"
        raise BadExpression(text, reason, at=opening)
    reason = "`${` is never closed; end it with `}`, or write `$${` for the characters themselves"
    raise BadExpression(text, reason, at=opening)


def has_parts(text: str) -> bool:
    """Return whether a text is anything but itself."""
    return "${" in text
