"""Which positions of a prefix are never given out. Pure."""

from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_interface,
    ip_network,
)
from typing import TypeAlias

from app.core.errors import Invalid
from app.domain.addresses.pools import size_of
from app.ipam.prefixes import offset_of, unusable_offsets

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network

MOST = 1 << 20
"""Positions that one prefix may reserve; each is a row."""


def reserved_positions(
    network: Network, gateway: Address | None, ranges: tuple[str, ...]
) -> dict[int, str]:
    """Return what each reserved position is for: network, broadcast, gateway or reserved.

    Positions are addresses of an IPv4 prefix and /64s of an IPv6 one. Raises Invalid.
    """
    positions: dict[int, str] = {}
    for text in ranges:
        first, last = ends_of(network, text)
        if last - first >= MOST:
            raise Invalid({"reserved": f"{text} is too large; leave it out of the prefix."})
        positions.update(dict.fromkeys(range(first, last + 1), "reserved"))
        if len(positions) > MOST:
            raise Invalid({"reserved": f"Together they are more than {MOST:,}; leave some out."})
    if network.version == 4:
        positions.update(
            dict.fromkeys(unusable_offsets(network, gateway), "gateway")
            | {offset: _END[offset > 0] for offset in unusable_offsets(network)}
        )
    elif gateway is not None and size_of(network) > 1:
        # Its /64 is the router's own; the one /64 of a /64 is the client's all the same.
        positions[_position(network, gateway)] = "gateway"
    return positions


_END = {False: "network", True: "broadcast"}


def ends_of(network: Network, text: str, *, field: str = "reserved") -> tuple[int, int]:
    """Return first and last position of an address, a network or a range.

    Raises Invalid on `field`.
    """
    try:
        if "-" in text:
            first, last = (ip_address(part.strip()) for part in text.split("-", 1))
        elif "/" in text:
            whole = ip_network(text.strip())
            first, last = whole[0], whole[-1]
        else:
            first = last = ip_address(text.strip())
    except ValueError as error:
        raise Invalid({field: f"{text} is no address, network or range."}) from error
    if first not in network or last not in network:
        raise Invalid({field: f"{text} does not lie in {network}."})
    if int(first) > int(last):
        raise Invalid({field: f"{text} ends before it begins."})
    return _position(network, first), _position(network, last)


def _position(network: Network, address: Address) -> int:
    offset = offset_of(network, address)
    return offset if network.version == 4 else offset >> 64


def parse_network(text: str) -> Network:
    """Return the network of a prefix. Raises Invalid."""
    try:
        network = ip_network(text.strip(), strict=False)
    except ValueError as error:
        raise Invalid({"network": f"{text} is no network; write it as 192.0.2.0/24."}) from error
    if "/" in text and ip_interface(text.strip()).ip != network.network_address:
        raise Invalid({"network": f"{text} is an address in {network}; write the network."})
    if network.version == 6 and network.prefixlen > 64:
        raise Invalid({"network": "An IPv6 prefix is given out in /64s: at most /64 long."})
    if network.version == 4 and network.prefixlen < 8:
        raise Invalid({"network": "An IPv4 prefix is at least /8 long."})
    return network


def parse_gateway(network: Network, text: str | None) -> Address | None:
    """Return the gateway of a prefix, an address in it that a router can have. Raises Invalid."""
    if text is None:
        return None
    try:
        gateway = ip_address(text.strip())
    except ValueError as error:
        raise Invalid({"gateway": f"{text} is no address."}) from error
    if gateway not in network or network.num_addresses == 1:
        raise Invalid({"gateway": f"{gateway} does not lie in {network}."})
    if network.version == 4 and gateway in _unusable(network):
        raise Invalid({"gateway": f"{gateway} is network or broadcast of {network}."})
    return gateway


def _unusable(network: Network) -> set[Address]:
    return {network.network_address + offset for offset in unusable_offsets(network)}
