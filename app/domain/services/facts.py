"""What an event says of a service: as it was when the event happened, whatever it is since."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.services.states import ServiceState
from app.ipam.wants import PRIMARY_IP4


class ServiceFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One service; never a password."""

    service: UUID
    order: UUID
    order_number: int
    account: UUID
    email: str
    client: str
    """The client's name."""
    product: str
    """Short name of the product."""
    category: UUID
    hostname: str
    os: str
    state: ServiceState
    server: UUID | None
    server_name: str
    address: str
    """The primary IPv4 address; "" without one."""
    reason: str = ""
    """Why it came to this, as whoever did it wrote."""


async def service_facts(tx: Tx, service: UUID, *, reason: str = "") -> ServiceFacts:
    """Return what there is to say of a service now; one statement. Raises NotFound."""
    row = await tx.fetchrow(
        'SELECT s.id AS service, s."order", o.number AS order_number, s.account, a.email, '
        "a.name AS client, p.slug AS product, p.category, s.hostname, s.os_code AS os, s.state, "
        "s.server, coalesce(v.name, '') AS server_name, coalesce((SELECT "
        "host(host(x.network)::inet + c.position) FROM address_claim c JOIN prefix x "
        """ON x.id = c.scope WHERE c.holder = s."order" AND c.kind = 'ip4' AND c.item = $2 """
        "AND c.state IN ('held', 'assigned')), '') AS address FROM service s "
        'JOIN client_order o ON o.id = s."order" JOIN account a ON a.id = s.account '
        "JOIN product p ON p.id = s.product LEFT JOIN server v ON v.id = s.server "
        "WHERE s.id = $1",
        service,
        PRIMARY_IP4,
    )
    if row is None:
        raise NotFound("service", service)
    return msgspec.convert({**row, "reason": reason}, ServiceFacts)
