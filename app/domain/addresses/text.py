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
