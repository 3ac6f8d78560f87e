"""The contract of a machine's serial line, opened by whoever sits at it."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from app.drivers.bmc.contract import BmcAddress, BmcFleet


class SerialLine(Protocol):
    """An open line. Leaving the block that it was opened by ends it at the BMC, too."""

    async def read(self) -> bytes:
        """Return what the machine says next; waits without end.

        Raises `Unreachable` when the line has ended, with the BMC's word for it: another has
        taken it over, or the BMC does not answer.
        """
        ...

    async def write(self, data: bytes) -> None:
        """Type `data`, at most `MOST_BYTES`; returns when there is room for more.

        Raises `Unreachable` when the line has ended, `ValueError` for more.
        """
        ...


class SerialFleet(Protocol):
    """All machines' serial lines."""

    def serial(
        self, address: BmcAddress, *, take_over: bool = False, by_command_line: bool = False
    ) -> AbstractAsyncContextManager[SerialLine]:
        """Have the line of a BMC's machine for the block, with `take_over` from who has it.

        `by_command_line`: for one who may do anything at the BMC, at whose command line they
        stand when they leave the line.

        Raises `InUse` where another has it, and what else a BMC's calls raise.
        """
        ...


class ConsoleFleet(SerialFleet, BmcFleet, Protocol):
    """All machines' serial lines, and the BMCs that have their screens."""


MOST_BYTES = 4096
