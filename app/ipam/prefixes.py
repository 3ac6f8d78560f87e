"""Arithmetic of prefixes: offsets, usable addresses, and numbered subnets.

An *offset* counts addresses from the first one of a prefix, 0 included. An
*index* counts subnets of one length: /64 number 5 of a /32. Both are plain ints,
so a claim is (scope, offset) whatever the family. Every function is O(1).
"""

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

from app.ipam.errors import OutsidePrefix

Address: TypeAlias = IPv4Address | IPv6Address
Network: TypeAlias = IPv4Network | IPv6Network


def _ends(network: Network) -> frozenset[int]:
    """Return the offsets that the protocol itself keeps: network and broadcast, or the anycast."""
    if network.max_prefixlen - network.prefixlen < 2:
        return frozenset()
    if network.version == 4:
        return frozenset({0, network.num_addresses - 1})
    return frozenset({0})


def usable_size(network: Network) -> int:
    """Return how many addresses of the prefix a host may have, the gateway's among them.

    An IPv4 /30 or shorter loses network and broadcast; a /31 uses both and a /32
    its one (RFC 3021). IPv6 loses the subnet-router anycast address (RFC 4291,
    2.6.1), except on /127 (RFC 6164) and /128.
    """
    return network.num_addresses - len(_ends(network))


def unusable_offsets(network: Network, gateway: Address | None = None) -> frozenset[int]:
    """Return the offsets that must never be handed out: at most three.

    They are those that `usable_size` leaves out, and the gateway's. A gateway
    that lies outside the prefix (a link-local router, an on-link /32) takes none.
    """
    if gateway is None or gateway not in network:
        return _ends(network)
    return _ends(network) | {offset_of(network, gateway)}


def address_at(network: Network, offset: int) -> Address:
    """Return the address `offset` places after the first; raise `OutsidePrefix` beyond the last."""
    if not 0 <= offset < network.num_addresses:
        raise OutsidePrefix(network, f"Offset {offset}")
    return network.network_address + offset


def offset_of(network: Network, address: Address) -> int:
    """Return how far `address` is from the first one; raise `OutsidePrefix` if it is no member."""
    if address not in network:
        raise OutsidePrefix(network, address)
    return int(address) - int(network.network_address)


def subnet_count(network: Network, length: int) -> int:
    """Return how many subnets of `length` the prefix holds; raise `OutsidePrefix` if none fits."""
    if not network.prefixlen <= length <= network.max_prefixlen:
        raise OutsidePrefix(network, f"A /{length}")
    return 1 << (length - network.prefixlen)


def subnet_at(network: Network, length: int, index: int) -> Network:
    """Return subnet number `index` of `length`: `subnet_at(2001:db8::/32, 64, 5)` is its sixth /64.

    Raises `OutsidePrefix` for a length that does not fit or an index past the last.
    """
    if not 0 <= index < subnet_count(network, length):
        raise OutsidePrefix(network, f"Subnet {index} of /{length}")
    first = network.network_address + (index << (network.max_prefixlen - length))
    return type(network)((first, length))


def subnet_index(network: Network, subnet: Network) -> int:
    """Return the number that `subnet_at` gives `subnet`; raise `OutsidePrefix` if it is no part."""
    if subnet.version != network.version or subnet.prefixlen < network.prefixlen:
        raise OutsidePrefix(network, subnet)
    offset = offset_of(network, subnet.network_address)
    return offset >> (subnet.max_prefixlen - subnet.prefixlen)
