"""Functions of IP addresses and prefixes, IPv4 and IPv6, written as text."""

import ipaddress
from collections.abc import Callable
from typing import TypeVar

from app.flows.expressions.errors import Fault
from app.flows.expressions.functions.function import offer
from app.flows.expressions.meter import Frame

GROUP = "Network"
_CHARS = 64
_COST = 30
_Read = TypeVar("_Read")


@offer(
    GROUP,
    "ip.address(text: string) -> string",
    doc="The address of an interface, without its prefix length, in its shortest form.",
    examples=(
        ('ip.address("192.0.2.10/24")', "192.0.2.10"),
        ('ip.address("2001:DB8:0::1/64")', "2001:db8::1"),
    ),
)
def address(frame: Frame, text: str) -> str:
    return str(_interface(frame, text).ip)


@offer(
    GROUP,
    "ip.network(text: string) -> string",
    doc="The prefix that an interface belongs to.",
    examples=(('ip.network("192.0.2.10/24")', "192.0.2.0/24"),),
)
def network(frame: Frame, text: str) -> str:
    return str(_interface(frame, text).network)


@offer(
    GROUP,
    "ip.prefixLength(text: string) -> int",
    doc="The length of a prefix.",
    examples=(('ip.prefixLength("192.0.2.0/24")', 24),),
)
def prefix_length(frame: Frame, text: str) -> int:
    return _interface(frame, text).network.prefixlen


@offer(
    GROUP,
    "ip.netmask(text: string) -> string",
    doc="The mask of a prefix.",
    examples=(('ip.netmask("192.0.2.10/26")', "255.255.255.192"),),
)
def netmask(frame: Frame, text: str) -> str:
    return str(_interface(frame, text).netmask)


@offer(
    GROUP,
    "ip.host(prefix: string, number: int) -> string",
    doc="The address at a position of a prefix, from 0; negative positions count from its end.",
    examples=(
        ('ip.host("192.0.2.0/24", 1)', "192.0.2.1"),
        ('ip.host("192.0.2.0/24", -1)', "192.0.2.255"),
        ('ip.host("2001:db8::/64", 1)', "2001:db8::1"),
    ),
)
def host(frame: Frame, prefix: str, number: int) -> str:
    inside = _interface(frame, prefix).network
    at = number if number >= 0 else inside.num_addresses + number
    if not 0 <= at < inside.num_addresses:
        raise Fault(f"the prefix has {inside.num_addresses} addresses: there is no number {number}")
    return str(inside[at])


@offer(
    GROUP,
    "ip.within(address: string, prefix: string) -> bool",
    doc="Whether an address or a prefix lies in a prefix; false for the other family.",
    examples=(
        ('ip.within("192.0.2.7", "192.0.2.0/24")', True),
        ('ip.within("2001:db8::7", "192.0.2.0/24")', False),
    ),
)
def within(frame: Frame, inner: str, prefix: str) -> bool:
    part = _interface(frame, inner)
    # An interface such as 192.0.2.7/24 is its address; a bare prefix such as 192.0.2.0/25 is whole.
    is_prefix = "/" in inner and part.ip == part.network.network_address
    low, high = part.ip, part.network.broadcast_address if is_prefix else part.ip
    whole = _interface(frame, prefix).network
    return low.version == whole.version and low in whole and high in whole


@offer(
    GROUP,
    "ip.version(text: string) -> int",
    doc="4 or 6.",
    examples=(('ip.version("2001:db8::1")', 6),),
)
def version(frame: Frame, text: str) -> int:
    return _interface(frame, text).version


@offer(
    GROUP,
    "ip.reverse(address: string) -> string",
    doc="The name of an address in the reverse DNS.",
    examples=(('ip.reverse("192.0.2.10")', "10.2.0.192.in-addr.arpa"),),
)
def reverse(frame: Frame, text: str) -> str:
    return _interface(frame, text).ip.reverse_pointer


@offer(
    GROUP,
    "ip.isAddress(text: string) -> bool",
    doc="Whether the text is an address, without a prefix length.",
    examples=(('ip.isAddress("192.0.2.10")', True), ('ip.isAddress("192.0.2.0/24")', False)),
)
def is_address(frame: Frame, text: str) -> bool:
    frame.spend(_COST)
    try:
        _read(ipaddress.ip_address, text)
    except Fault:
        return False
    return True


def _interface(frame: Frame, text: str) -> ipaddress.IPv4Interface | ipaddress.IPv6Interface:
    frame.spend(_COST)
    return _read(ipaddress.ip_interface, text)


def _read(make: Callable[[str], _Read], text: str) -> _Read:
    try:
        if len(text) <= _CHARS:
            return make(text)
    except ValueError:
        pass
    raise Fault(
        "this is no IP address or prefix; write it as 192.0.2.10, 192.0.2.0/24 or 2001:db8::1"
    )


FUNCTIONS = (
    address, network, prefix_length, netmask, host, within, version, reverse, is_address,
)  # fmt: skip
