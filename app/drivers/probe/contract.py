"""The contract of a look at addresses, whether something answers there already."""

from collections.abc import Collection, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Protocol, TypeAlias

from app.drivers.errors import DriverError

Address: TypeAlias = IPv4Address | IPv6Address


class CannotProbe(DriverError):
    """Nothing can be said of the addresses from here; a person must change something."""


class Prober(Protocol):
    """Looks at addresses all at once, within seconds. Changes nothing there."""

    async def who_answers(self, addresses: Collection[Address]) -> Mapping[Address, str]:
        """Return those at which something answers, with words: `02:fe:… answers to ARP`.

        Raises CannotProbe rather than let an address pass that was not looked at.
        """
        ...
