"""What of a prefix none of its parts covers. Pure."""

from collections.abc import Iterator, Sequence
from ipaddress import summarize_address_range

from app.ipam.prefixes import Address, Network


def gaps(network: Network, parts: Sequence[Network]) -> list[tuple[Address, Address]]:
    """Return first and last address of each run that no part covers, the lowest first.

    `parts` lie in the network and have nothing in common, in any order. Cost: O(n log n).
    """
    found = []
    start = int(network[0])
    for part in sorted(parts):
        if int(part[0]) > start:
            found.append(
                (network[start - int(network[0])], network[int(part[0]) - 1 - int(network[0])])
            )
        start = int(part[-1]) + 1
    if start <= int(network[-1]):
        found.append((network[start - int(network[0])], network[-1]))
    return found


def free_networks(network: Network, parts: Sequence[Network]) -> Iterator[Network]:
    """Yield the largest networks that fill the gaps, the lowest first.

    At most two a bit of the address for each gap.
    """
    for first, last in gaps(network, parts):
        yield from networks_of(first, last)


def networks_of(first: Address, last: Address) -> Iterator[Network]:
    """Yield the largest networks that make up a range, the lowest first."""
    yield from summarize_address_range(first, last)


def lowest_free_network(network: Network, parts: Sequence[Network], length: int) -> Network | None:
    """Return the lowest subnet of `length` that no part touches, or None."""
    for free in free_networks(network, parts):
        if free.prefixlen <= length:
            return type(network)((int(free[0]), length))
    return None
