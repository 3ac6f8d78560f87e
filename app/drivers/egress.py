"""Which addresses a flow may call. Pure: values in, values out.

A flow's author names hosts, and a host may resolve to anything: to the metadata service of a
cloud, to a BMC, to our own database. So it is the address that is judged, when the connection is
made; what a name resolved to a moment before, or where a redirect leads, does not matter then.
Source: IANA special-purpose address registries, by `ipaddress`; OWASP, SSRF prevention.
"""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import TypeAlias

from app.drivers.errors import DriverError

Address: TypeAlias = IPv4Address | IPv6Address

# Public by the registries, and yet no one's on the internet: services within a cloud that hand out
# its secrets; tunnels to any IPv4 address there is (6to4, RFC 3056; Teredo, RFC 4380).
NOT_PUBLIC = tuple(
    ip_network(text)
    for text in ("168.63.129.16/32", "192.0.0.192/32", "2002::/16", "2001::/32", "fec0::/10")
)
# IPv4 addresses as an IPv6-only machine calls them (RFC 6052).
NAT64 = ip_network("64:ff9b::/96")


class EgressDenied(DriverError):
    """The provider's policy keeps flows from calling this address."""

    def __init__(self, peer: str, address: str) -> None:
        super().__init__(
            peer,
            f"flows may not call {address}, which is not on the public internet. If it is meant, "
            "add its network to SLIPWAY_EGRESS_ALLOW.",
        )
        self.address = address


class Egress:
    """The policy: public addresses, and the networks that the provider allows besides."""

    def __init__(self, allow: Iterable[str] = ()) -> None:
        """Take networks as text. Raises ValueError for what is none."""
        self._allow = tuple(ip_network(text, strict=False) for text in allow)

    def allows(self, address: str) -> bool:
        """Say whether a flow may connect to `address`; what is no address is denied."""
        try:
            # A scope (`fe80::1%eth0`) is no part of what is judged.
            found = _reached(ip_address(address.partition("%")[0]))
        except ValueError:
            return False
        # An address of the other family is in no network: `in` says so without an error.
        return any(found in network for network in self._allow) or _is_public(found)

    def choose(self, peer: str, addresses: Iterable[str]) -> list[str]:
        """Return those that may be called, in their order. Raises EgressDenied if none may."""
        given = list(addresses)
        allowed = [address for address in given if self.allows(address)]
        if given and not allowed:
            raise EgressDenied(peer, given[0])
        return allowed


def _reached(address: Address) -> Address:
    """Return what a connection to `address` comes to, which may be an IPv4 address inside it."""
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in NAT64:
            return IPv4Address(int(address) & 0xFFFF_FFFF)
    return address


def _is_public(address: Address) -> bool:
    return (
        address.is_global
        and not address.is_multicast
        and not address.is_reserved
        and not any(address in network for network in NOT_PUBLIC)
    )
