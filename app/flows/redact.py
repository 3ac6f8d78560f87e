"""Hide what is named like a secret in the input and output of a step."""

from typing import Any

from app.core.redact import HIDDEN, names_secret


def redacted(value: Any) -> Any:
    """Return `value` with every non-empty value whose key names a secret replaced, at any depth."""
    match value:
        case dict():
            return {
                key: HIDDEN
                if isinstance(key, str) and inner and names_secret(key)
                else redacted(inner)
                for key, inner in value.items()
            }
        case list():
            return [redacted(inner) for inner in value]
        case _:
            return value
