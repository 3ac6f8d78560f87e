"""The two ways in which Slipway says no.

A `Refusal` is an answer: the request was understood and cannot be granted as it
stands. It carries a stable `code`, its facts as attributes, and a message that
says what to do. The HTTP status is decided at the edge, never here.
"""

from typing import ClassVar


class Refusal(Exception):
    """A request that cannot be granted; `code` is stable across releases."""

    code: ClassVar[str] = "refused"

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class NotFound(Refusal):
    """Nothing of that kind is visible to the one who asks."""

    code = "not_found"

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(f"There is no {kind} {key}, or it is not yours.")
        self.kind = kind
        self.key = key


class Invalid(Refusal):
    """Input with at least one bad field; `fields` maps a field's name to its message."""

    code = "invalid"

    def __init__(self, fields: dict[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {text}" for name, text in fields.items()))
        self.fields = fields


class Conflict(Refusal):
    """The thing changed under the request; read it again and retry."""

    code = "conflict"
