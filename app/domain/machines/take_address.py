"""Take over the addresses that a provider chose for a service's machine."""

from collections.abc import Sequence
from ipaddress import IPv4Address
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.exchange import NotOurs, exchange, stands
from app.domain.addresses.find import addresses_of

_SETTLED = """
SELECT EXISTS (SELECT FROM server WHERE holder = $1) OR EXISTS (
    SELECT FROM service s LEFT JOIN machine m ON m.service = s.id AND m.removed_at IS NULL
    WHERE s."order" = $1 AND (s.server IS NOT NULL OR m.made_at IS NOT NULL)
)
"""
"""Whether an order has what answers on its address: a server, or a machine that is made."""


async def take_addresses(tx: Tx, service: UUID, addresses: Sequence[str]) -> None:
    """Make them the service's order's, the primary one first; each for one that it held.

    The same transaction notes the machine. An order that holds one of them and has no machine yet
    gets the other one: its own machine will be given addresses by the provider, too. Raises
    NotOurs. Idempotent.
    """
    chosen = [IPv4Address(address) for address in addresses if ":" not in address]
    order: UUID = await tx.fetchval('SELECT "order" FROM service WHERE id = $1', service)
    for number, address in enumerate(chosen):
        held = (await addresses_of(tx, order)).ip4
        if number and any(one.address == address for one in held):
            continue
        spare = held[:1] if number == 0 else [one for one in held[1:] if one.address not in chosen]
        if not spare:
            raise NotOurs(address, "is one more than its order has")
        target = await stands(tx, order, address)
        if target.holder not in (None, order) and await tx.fetchval(_SETTLED, target.holder):
            raise NotOurs(address, "is another machine's here")
        await exchange(tx, order, address, target, spare[0].item)
