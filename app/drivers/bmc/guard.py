"""Who may talk to a BMC now: one request at a time, and no rejected credentials twice.

BMCs freeze under bursts and lock accounts after a few wrong passwords, and they do not care which
of our workers it was. So each request has its turn, across all workers, and credentials that
were rejected are not shown again until others are written down, but for a try or two much later:
some BMCs reject everything for moments after a restart.
"""

import asyncio
import contextlib
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from app.drivers.bmc.contract import BmcAddress
from app.drivers.errors import Unauthorised

WAIT_S = 7.0
"""How long who has a deadline waits for a turn before the BMC counts as busy."""


class LockedOut(Unauthorised):
    """The credentials were rejected before; the BMC was not asked."""

    def __init__(self, peer: str, words: str, *, again_at: datetime | None = None) -> None:
        """`again_at`: when they are tried once more; None: not before they are saved anew."""
        then = "not tried again" if again_at is None else f"tried once more at {again_at:%H:%M} UTC"
        super().__init__(
            peer,
            f"it rejected these credentials ({words}), and they are {then}. "
            "Save the right ones on the server's page.",
        )


@dataclass(slots=True)
class Turn:
    """One request's turn. What is learned in it is kept for the next, whichever worker's it is."""

    cipher_suite: int | None = None
    """The IPMI cipher suite that the BMC agreed to; None while it is not known."""
    ssh_host_key: str = ""
    """What its SSH server showed the first time, `ssh-ed25519 AAAA…`; empty until then."""
    serial_is_left: bool = False
    """Whether a serial console by IPMI was given up as it opened, within the last minute: it may
    be active, and nobody's."""
    signed_in: bool = field(default=False, compare=False)
    """Whether the credentials were shown in it, and taken. A session from before shows none: it may
    outlive a change of the password."""


class BmcGuard(Protocol):
    """Gives turns; `BmcAddress.peer` says which addresses are one BMC."""

    def turn(self, address: BmcAddress) -> AbstractAsyncContextManager[Turn]:
        """Wait for the BMC to be free, without end, and have it for the block.

        The turn ends with the block, or a few seconds after the worker died. Raises
        `LockedOut`. An `Unauthorised` that leaves the block closes the BMC to these credentials.
        """
        ...


@dataclass(slots=True)
class _Known:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    turn: Turn = field(default_factory=Turn)
    rejected: dict[tuple[str, str], str] = field(default_factory=dict)


class OwnGuard:
    """A `BmcGuard` for one process that has its BMCs to itself: a script, a measurement, a test.

    It shows credentials that were rejected never again.
    """

    def __init__(self) -> None:
        self._known: defaultdict[str, _Known] = defaultdict(_Known)

    @contextlib.asynccontextmanager
    async def turn(self, address: BmcAddress) -> AsyncIterator[Turn]:
        known = self._known[address.peer]
        credentials = (address.username, address.password.digest())
        async with known.lock:
            if (words := known.rejected.get(credentials)) is not None:
                raise LockedOut(address.url, words)
            try:
                yield known.turn
            except Unauthorised as error:
                known.rejected[credentials] = error.message
                raise
