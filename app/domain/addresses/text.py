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
    """Return one position, or a range of them, as `ends_of` reads it back."""
    kind = AddressKind.ip4 if network.version == 4 else AddressKind.ip6net
    if first == last:
        return position_text(kind, network, first)
    ends = (position_text(kind, network, end).removesuffix("/64") for end in (first, last))
    return "-".join(ends)
