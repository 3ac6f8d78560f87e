"""How many IPv4 addresses orders could still be given, by role and place."""

from collections import Counter

from app.core.database import Tx
from app.domain.addresses.find import list_prefixes
from app.domain.addresses.pools import GENERAL
from app.domain.addresses.states import PrefixStatus
from app.ipam.wants import AddressRules
from app.solver.want import ServerWant

Spare = Counter[tuple[str, str]]
"""Addresses by role and datacentre."""


async def spare_ip4(tx: Tx) -> Spare:
    """Return the free addresses of the prefixes that orders may take from.

    What is kept for a client or a purpose is among them. Cost: that of `list_prefixes`.
    """
    spare = Spare()
    for prefix in await list_prefixes(tx):
        is_open = prefix.status is PrefixStatus.active and prefix.auto_allocatable
        if is_open and prefix.network.version == 4 and not prefix.vrf:
            spare[prefix.purpose, prefix.datacentre] += prefix.free
    return spare


def spare_for(spare: Spare, addresses: AddressRules, servers: ServerWant) -> int:
    """Return how many primary addresses there are where a product's servers may stand."""
    role = addresses.primary_purpose or GENERAL
    return sum(
        number
        for (purpose, datacentre), number in spare.items()
        if purpose == role
        and (not servers.datacentre_required or datacentre in servers.datacentres)
    )
