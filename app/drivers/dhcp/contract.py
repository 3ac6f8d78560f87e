"""What a DHCP server is told: which card gets which address."""

from ipaddress import IPv4Address, IPv4Network
from typing import Protocol
from uuid import UUID

import msgspec


class DhcpHost(msgspec.Struct, frozen=True, kw_only=True):
    """A network card, and what it is given."""

    mac: str
    address: IPv4Address
    hostname: str = ""


class DhcpSubnet(msgspec.Struct, frozen=True, kw_only=True):
    """A network with its hosts; nobody else gets an address of it."""

    prefix: UUID
    """In our inventory: by it the server's subnets of ours are known."""
    network: IPv4Network
    router: IPv4Address | None
    nameservers: tuple[str, ...] = ()
    hosts: tuple[DhcpHost, ...] = ()


class DhcpPlan(msgspec.Struct, frozen=True, kw_only=True):
    """All that a server is told."""

    subnets: tuple[DhcpSubnet, ...]
    boot_url: str
    """Where iPXE gets its script; it fills in the card's MAC."""
    boot_file_url: str = ""
    """What x86-64 firmware fetches that boots by HTTP and was told no address; "" for nothing."""

    @property
    def hosts(self) -> int:
        return sum(len(subnet.hosts) for subnet in self.subnets)


class DhcpServer(Protocol):
    """Tells a server. Raises only `DriverError`s."""

    async def push(self, plan: DhcpPlan) -> bool:
        """Put these subnets in place of those that we told it before; others stay.

        Returns whether anything changed, once the server says that it has them. It is asked first
        whether it would take them; what it would not is Refused in its own words.
        """
        ...
