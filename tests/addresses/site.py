"""A site with address space, and short ways to ask for some of it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from app.core.database import Database, Tx
from app.domain.addresses.claim import Claimed, PoolExhausted, claim
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.ipam.wants import AddressKind, AddressRules, AddressWant, wants_of
from tests.inventory.hall import furnish

V4 = "10.0.0.0/28"
V6 = "2001:db8::/48"


def prefix(network: str = V4, **facts: Any) -> PrefixSeed:
    return PrefixSeed(**{"network": network, "datacentre": "ams1"} | facts)


def vlans(name: str = "ams1", **facts: Any) -> VlanGroupSeed:
    return VlanGroupSeed(**{"name": name, "datacentre": "ams1"} | facts)


async def lay_out(
    tx: Tx, *prefixes: PrefixSeed, groups: Sequence[VlanGroupSeed] = ()
) -> dict[str, UUID]:
    """Write two datacentres (racks R1, R2 of ams1; R1 of fra1) and this address space down."""
    await furnish(tx)
    return await register_addresses(
        tx, AddressSeed(prefixes=tuple(prefixes), vlan_groups=tuple(groups))
    )


def ip4(item: str = "ip4:primary", **facts: Any) -> AddressWant:
    return AddressWant(**{"item": item, "kind": AddressKind.ip4, "prefix_length": 32} | facts)


WHOLE = wants_of(AddressRules(), 2)
"""Primary IPv4, two extras, a /64 and a VLAN."""


async def ask(
    tx: Tx,
    holder: UUID,
    wants: Sequence[AddressWant] = (ip4(),),
    *,
    expires_at: Any = None,
    rack: str | None = "R1",
    datacentre: str = "ams1",
) -> Claimed:
    return await claim(
        tx, wants, holder=holder, datacentre=datacentre, rack=rack, expires_at=expires_at
    )


async def try_to_claim(
    database: Database, holder: UUID, wants: Sequence[AddressWant] = (ip4(),)
) -> Claimed | None:
    """Claim in a transaction of its own; None when the pool is exhausted."""
    async with database.transaction() as tx:
        try:
            return await ask(tx, holder, wants)
        except PoolExhausted:
            return None


def texts(claimed: Claimed) -> list[str]:
    return [str(ip.address) for ip in claimed.ip4]
