"""How many IPv4 addresses orders could still be given, by role and place."""

from collections import Counter
from collections.abc import Callable, Mapping

from app.core.database import Tx
from app.domain.addresses.find import list_prefixes
from app.domain.addresses.pools import GENERAL
from app.domain.addresses.states import PrefixStatus
from app.ipam.wants import AddressRules

Spare = Counter[tuple[str, str, str]]
"""Addresses by role, datacentre and rack; "" is the whole datacentre."""


async def spare_ip4(tx: Tx) -> Spare:
    """Return the free addresses of the prefixes that orders may take from.

    What is kept for a client or a purpose is among them. Cost: that of `list_prefixes`.
    """
    spare = Spare()
    for prefix in await list_prefixes(tx):
        is_open = prefix.status is PrefixStatus.active and prefix.auto_allocatable
        if is_open and prefix.network.version == 4 and not prefix.vrf:
            spare[prefix.purpose, prefix.datacentre, prefix.rack or ""] += prefix.free
    return spare


def spare_for(
    spare: Mapping[tuple[str, str, str], int],
    addresses: AddressRules,
    may_be_at: Callable[[str, str], bool],
) -> int:
    """Return how many primary addresses there are where a product's machines may be.

    `may_be_at` is asked about a datacentre and a rack, "" for the whole of it.
    """
    role = addresses.primary_purpose or GENERAL
    return sum(
        number
        for (purpose, datacentre, rack), number in spare.items()
        if purpose == role and may_be_at(datacentre, rack)
    )
