"""Take over the address that a provider chose for a service's machine."""

from ipaddress import IPv4Address
from uuid import UUID

from app.core.database import Tx
from app.domain.addresses.exchange import NotOurs, exchange, stands

_SETTLED = """
SELECT EXISTS (SELECT FROM server WHERE holder = $1) OR EXISTS (
    SELECT FROM service s LEFT JOIN machine m ON m.service = s.id AND m.removed_at IS NULL
    WHERE s."order" = $1 AND (s.server IS NOT NULL OR m.made_at IS NOT NULL)
)
"""
"""Whether an order has what answers on its address: a server, or a machine that is made."""


async def take_address(tx: Tx, service: UUID, address: str) -> None:
    """Make it the primary address of the service's order; the same transaction notes the machine.

    An order that holds it and has no machine yet gets the other one: its own machine will be given
    an address by the provider, too. Raises NotOurs. Idempotent.
    """
    chosen = IPv4Address(address)
    order: UUID = await tx.fetchval('SELECT "order" FROM service WHERE id = $1', service)
    target = await stands(tx, order, chosen)
    if target.holder not in (None, order) and await tx.fetchval(_SETTLED, target.holder):
        raise NotOurs(chosen, "is another machine's here")
    await exchange(tx, order, chosen, target)
