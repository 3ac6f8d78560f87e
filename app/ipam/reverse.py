"""Names of PTR records: where in DNS the name of an address is looked up. Pure.

Source: RFC 1035, 3.5 (in-addr.arpa); RFC 3596, 2.5 (ip6.arpa); RFC 2317 (zones of less than a /24).
"""

from app.ipam.prefixes import Address, Network

LABEL_BITS = {4: 8, 6: 4}
"""A label is a byte of an IPv4 address, or half a byte of an IPv6 one."""


def reverse_name(address: Address, network: Network, zone: str = "") -> str:
    """Return the name of the PTR record of `address`, with its final dot.

    `zone` is that of its prefix `network`, if it has one of its own. The name is the usual one
    in `zone`, or in no zone in particular; in a zone elsewhere in DNS (RFC 2317: `64/26.2.0.192.
    in-addr.arpa`, to which the parent leads by CNAMEs) it is the part of the address that differs
    within the network, a label at least: `7.64/26.2.0.192.in-addr.arpa.`
    """
    usual = f"{address.reverse_pointer}."
    suffix = f".{zone.strip('.').lower()}."
    if not zone or usual.endswith(suffix):
        return usual
    host_bits = network.max_prefixlen - network.prefixlen
    labels = max(1, -(-host_bits // LABEL_BITS[network.version]))
    return ".".join(usual.split(".")[:labels]) + suffix


def usual_zone(address: Address, network: Network) -> str:
    """Return the zone that the usual name of `address` lies in when each prefix has its own.

    Zones begin at labels: that of a /26 is the /24's around it, a /22 has four.
    """
    bits = LABEL_BITS[network.version]
    longest = network.max_prefixlen - bits
    length = min(-(-network.prefixlen // bits) * bits, longest)
    left_out = (network.max_prefixlen - length) // bits
    return ".".join(address.reverse_pointer.split(".")[left_out:])
