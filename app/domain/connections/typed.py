"""Facts as they were typed, for changing them in the form that they came from."""

from enum import Enum
from typing import Any

import msgspec

from app.domain.connections.kinds import Facts


def typed_again(facts: Facts) -> dict[str, str]:
    """Return text by field; `read` makes the same facts of it. A tick that is off is not there."""
    values: dict[str, Any] = msgspec.structs.asdict(facts)
    values |= values.pop("settings", {})
    return {
        name: as_typed(value)
        for name, value in values.items()
        if value is not False and not (name == "host" and "chat" in values)
    }


def as_typed(value: Any) -> str:
    """Return the text that is read as `value`."""
    match value:
        case True:
            return "on"
        case Enum():
            return str(value.value)
        case dict():
            return "\n".join(f"{name}: {one}" for name, one in value.items())
        case tuple() | list():
            return "\n".join(map(str, value))
        case _:
            return str(value)
