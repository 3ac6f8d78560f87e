"""The contract of a mailer."""

from typing import Protocol

import msgspec


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One mail to one recipient, in HTML and in text."""

    to: str
    from_: str
    """An address, or `Name <address>`."""
    subject: str
    html: str
    text: str
    message_id: str
    """`<…@domain>`, the same at every attempt, so that a duplicate is recognised."""
    headers: tuple[tuple[str, str], ...] = ()
    """More headers, for example `("Auto-Submitted", "auto-generated")`."""


class Mailer(Protocol):
    """Hands mail over. Raises only `DriverError`s."""

    async def send(self, message: Message) -> None:
        """Return once the server took responsibility for it.

        At least once: a connection lost after the data leaves that open, and the
        caller's next attempt carries the same `message_id`.
        """
        ...
