"""What is said between processes.

To and from a BMC's process: one JSON object a line. To and from the nursery: five bytes, a letter
and a number. `F` with a socket attached: fork a child that serves it; answered by `P` with its
process id. `K` and an id: end that child. The first thing the nursery says is `R`, ready.
"""

import struct
from enum import StrEnum
from typing import Any

import msgspec

MESSAGE = struct.Struct("!cI")
READY, FORK, BORN, KILL = b"R", b"F", b"P", b"K"


class Fault(StrEnum):
    """How it went wrong, for `link` to make a `DriverError` of."""

    UNAUTHORISED = "unauthorised"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"
    RETRIABLE = "retriable"
    SESSION_LOST = "session_lost"
    """The BMC has forgotten the session, after a restart for example; another may do."""


class SignIn(msgspec.Struct, frozen=True):
    """The first line to a process: its BMC."""

    host: str
    port: int
    username: str
    password: str
    cipher_suite: int | None


class Ask(msgspec.Struct, frozen=True):
    """A line to the process: a verb of `child.VERBS` with what it takes."""

    verb: str
    given: dict[str, Any]
    deadline_s: float
    """After this the kernel ends the process, even if it hangs."""


class Typed(msgspec.Struct, frozen=True):
    """A line to a process that has its serial console open."""

    data: bytes


class Heard(msgspec.Struct, frozen=True):
    """A line from such a process: what the machine says, or why there will be no more."""

    data: bytes = b""
    ended: str | None = None


class Answer(msgspec.Struct, frozen=True):
    """A line from the process."""

    value: Any = None
    fault: Fault | None = None
    words: str = ""
    field: str = ""
    cipher_suite: int | None = None
    """What was agreed on at sign-in."""
