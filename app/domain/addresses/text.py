"""Write a claimed position as people do."""

from ipaddress import IPv4Network, IPv6Network

from app.ipam.prefixes import address_at, subnet_at
from app.ipam.wants import AddressKind


def position_text(
    kind: AddressKind, network: IPv4Network | IPv6Network | None, position: int
) -> str:
    """Return the address, the /64, or the VLAN id (which has no network)."""
    if network is None:
        return str(position)
    if kind is AddressKind.ip4:
        return str(address_at(network, position))
    return str(subnet_at(network, 64, position))


def span_text(network: IPv4Network | IPv6Network, first: int, last: int) -> str:
    """Return one position, a network of them or else a range, as `ends_of` reads it back."""
    kind = AddressKind.ip4 if network.version == 4 else AddressKind.ip6net
    size = last - first + 1
    if size == 1:
        return position_text(kind, network, first)
    if size.bit_count() == 1 and first % size == 0:
        unit = 32 if network.version == 4 else 64
        length = unit - (size.bit_length() - 1)
        return str(subnet_at(network, length, first // size))
    ends = (position_text(kind, network, end).removesuffix("/64") for end in (first, last))
    return "-".join(ends)
