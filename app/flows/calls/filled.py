"""What a call that was described elsewhere comes to, as an HTTP call's parameters. Pure."""

from typing import Any, get_args

import msgspec

from app.flows.calls.request import Method

METHODS: tuple[str, ...] = get_args(Method)


class FilledCall(msgspec.Struct, frozen=True):
    """`params` fill the `with` of an `action.http`; `notes` say what a person must still do."""

    params: dict[str, Any]
    notes: tuple[str, ...] = ()


def literal(value: Any) -> Any:
    """Return a value so that no text in it is read as an expression."""
    match value:
        case dict():
            return {key: literal(one) for key, one in value.items()}
        case list():
            return [literal(one) for one in value]
        case str() if value.startswith("="):
            return f"={value}"
        case str() if "${" in value:
            return "=" + msgspec.json.encode(value).decode()
        case _:
            return value
