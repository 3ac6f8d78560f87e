"""How large what a node handles may be: a pure node holds its worker while it works."""

from typing import Annotated, Any

import msgspec

from app.flows.node import StepFailed

MAX_TEXT_CHARS = 1_000_000
MAX_ITEMS = 100_000
MAX_VALUE_BYTES = 1_000_000

Text = Annotated[str, msgspec.Meta(max_length=MAX_TEXT_CHARS)]
"""Text as a parameter."""


def bounded_text(text: str, what: str) -> str:
    """Return `text`, made by a node, if it is no longer than 1,000,000 characters."""
    if len(text) > MAX_TEXT_CHARS:
        raise StepFailed(
            f"{what} has {len(text):,} characters; a text may have {MAX_TEXT_CHARS:,}. "
            "Keep large content outside, and pass on where it is."
        )
    return text


def bounded_value(value: Any, what: str) -> Any:
    """Return `value` if it is no larger than 1,000,000 bytes as JSON. Time: O(its size)."""
    try:
        size_bytes = len(msgspec.json.encode(value))
    except (TypeError, ValueError, RecursionError) as error:
        raise StepFailed(f"{what} cannot be kept as JSON: {error}") from error
    if size_bytes > MAX_VALUE_BYTES:
        raise StepFailed(
            f"{what} is {size_bytes:,} bytes as JSON; it may be {MAX_VALUE_BYTES:,}. "
            "Pick the fields that are needed."
        )
    return value


def shown(value: Any, longest: int = 60) -> str:
    """Return a short look at `value` for an error message: `the text "yes"`, `the number 3`."""
    kind = next(name for types, name in _KINDS if isinstance(value, types))
    try:
        written = msgspec.json.encode(value).decode()
    except (TypeError, ValueError, RecursionError):
        written = str(value)
    if len(written) > longest:
        written = f"{written[:longest]}…"
    return f"{kind} {written}".strip() if value is not None else kind


_KINDS: tuple[tuple[Any, str], ...] = (
    (type(None), "null"),
    (bool, ""),
    ((int, float), "the number"),
    (str, "the text"),
    ((list, tuple), "the list"),
    (dict, "the object"),
    (object, "the value"),
)
