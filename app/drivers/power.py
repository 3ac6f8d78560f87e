"""The contract for powering one server."""

from enum import StrEnum
from typing import Protocol


class Power(StrEnum):
    """Whether a server runs."""

    ON = "on"
    """The main board is powered; says nothing of the operating system."""
    OFF = "off"
    """Only the BMC is powered."""
    UNKNOWN = "unknown"
    """On the way between the two, or the BMC does not say."""


class PowerDriver(Protocol):
    """Powers one server. Calls are idempotent and raise only `DriverError`s."""

    async def read(self) -> Power:
        """Return the state now. Cost: one request; a hung BMC is seen in about 3 s."""
        ...

    async def ensure(self, wanted: Power, *, deadline_s: float) -> None:
        """Return once the BMC itself reports `wanted`, which is `ON` or `OFF`.

        Off is hard: for a machine that is about to be installed or released.
        Raises `NotReached` when the order was taken and nothing followed in time.
        """
        ...

    async def shut_down(self) -> None:
        """Ask the operating system to stop, and return once the BMC passed that on.

        The machine follows within minutes, or never: read its power to know. One that is off
        already is left so. Raises `Refused` where the BMC cannot ask.
        """
        ...

    async def stop(self, *, patience_s: float, deadline_s: float) -> bool:
        """Shut down, and take the power away when `patience_s` ends; True when it came to that.

        `deadline_s` is for the hard way alone. Whoever asks for a hard off meanwhile is not kept
        waiting. A BMC that cannot ask the operating system has its power taken away at once.
        """
        ...

    async def cycle(self, *, deadline_s: float) -> None:
        """Switch off (hard), see that it is off, switch on, see that it is on."""
        ...

    async def reset(self) -> None:
        """Restart a running machine as its button would; not seen in its power state.

        Not idempotent: each call restarts it. Raises `Refused` for one that is off.
        """
        ...
