"""The ways in which a machine or its BMC can misbehave, one at a time."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Self


class FaultKind(StrEnum):
    """What is broken; the first six sit in the BMC, the last three in the machine."""

    HANG = "hang"
    "The BMC accepts a connection and never answers."
    REFUSE = "refuse"
    "The BMC refuses connections."
    WRONG_PASSWORD = "wrong-password"  # noqa: S105 - the name of a fault
    "The BMC answers 401 to every log-in."
    IGNORE_RESET = "ignore-reset"
    "A reset is answered with 204 and does nothing."
    REVERT_BOOT = "revert-boot"
    "A boot override is answered with 204 and reads back unchanged."
    SLOW = "slow"
    "Each answer of the BMC takes some seconds more (`slow:SECONDS`, 2 unless told)."
    INSTALL_FAILS = "install-fails"
    "The installer fails at its n-th step (`install-fails:N`)."
    NEVER_CALLS_BACK = "never-calls-back"
    "The installer stops silently before its last commands."
    BAD_MEMORY = "bad-memory"
    "A memory module flips bits under load; its errors are counted."


TAKES_NUMBER = {FaultKind.SLOW: 2.0, FaultKind.INSTALL_FAILS: 1.0}


class UnknownFault(ValueError):
    """The text names no fault."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault; `number` is seconds for `slow`, the 1-based step for `install-fails`."""

    kind: FaultKind
    number: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the fault of `hang`, `slow:3`, `install-fails:2`; raise UnknownFault."""
        name, colon, number = text.strip().partition(":")
        try:
            kind = FaultKind(name)
        except ValueError:
            known = ", ".join(kind.value for kind in FaultKind)
            raise UnknownFault(f"There is no fault {text!r}. Take one of: {known}.") from None
        if kind not in TAKES_NUMBER:
            if colon:
                raise UnknownFault(f"The fault {kind} takes no number, {text!r} has one.")
            return cls(kind)
        try:
            value = float(number) if colon else TAKES_NUMBER[kind]
        except ValueError:
            raise UnknownFault(f"{text!r}: {number!r} is not a number.") from None
        if not 0 < value <= 3600:
            raise UnknownFault(f"{text!r}: the number must be above 0 and at most 3600.")
        return cls(kind, value)

    def __str__(self) -> str:
        return f"{self.kind}:{self.number:g}" if self.kind in TAKES_NUMBER else str(self.kind)
