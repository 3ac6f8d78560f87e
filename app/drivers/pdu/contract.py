"""The contract of a PDU whose outlets can be switched one by one."""

from typing import Protocol

import msgspec

from app.drivers.power import Power
from app.drivers.secret import Secret


class PduAddress(msgspec.Struct, frozen=True, kw_only=True):
    """A PDU and how it knows us: by SNMPv3 where a user is named, else by SNMPv2c."""

    name: str
    """What errors call it."""
    dialect: str
    """Whose it is: one of `app.drivers.pdu.profiles.PROFILES`."""
    host: str
    port: int = 161
    username: str = ""
    secret: Secret
    """The user's password for signing (SHA), or the community, which anyone in between can read."""
    privacy: Secret | None = None
    """The password for encryption (AES-128); without it calls are signed only."""


class Pdus(Protocol):
    """Switches outlets, which are numbered from 1. Raises only `DriverError`s.

    Calls are idempotent and may be cancelled; none lasts longer than its deadline.
    """

    async def read(self, pdu: PduAddress, outlet: int) -> Power:
        """Return the state now. Cost: one request; a silent PDU is told in about 3 s."""
        ...

    async def ensure(
        self, pdu: PduAddress, outlet: int, wanted: Power, *, deadline_s: float
    ) -> None:
        """Return once the PDU itself reports `wanted`, which is `ON` or `OFF`.

        Raises `NotReached` when the order was taken and nothing followed in time.
        """
        ...

    async def close(self) -> None: ...
