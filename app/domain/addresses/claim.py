"""Claim addresses, networks and a VLAN for an order: all of them or nothing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.errors import PoolExhausted
from app.domain.addresses.together import Ask, claim_together
from app.domain.addresses.views import Claimed, Ip4, Ip6Net
from app.ipam.wants import AddressWant

__all__ = ["Claimed", "Ip4", "Ip6Net", "PoolExhausted", "claim"]


async def claim(
    tx: Tx,
    wants: Sequence[AddressWant],
    *,
    holder: UUID,
    datacentre: str,
    rack: str | None,
    expires_at: datetime | None,
) -> Claimed:
    """Return all that the order has, after claiming what it did not have of `wants`.

    `datacentre` is a code, `rack` a name; pools of other racks are not looked at. New claims
    are held until `expires_at`, or for good when None; claims that the order has already
    answer for their item, their expiry put off or dropped and never brought forward.
    All or nothing, and part of the caller's transaction: whoever has none is served faster at
    the `ClaimDesk`. Raises PoolExhausted, BlockTooLarge and Invalid with nothing claimed.
    """
    [answer] = await claim_together(
        tx,
        [
            Ask(
                wants=wants,
                holder=holder,
                datacentre=datacentre,
                rack=rack,
                expires_at=expires_at,
            )
        ],
    )
    if isinstance(answer, Claimed):
        return answer
    raise answer
