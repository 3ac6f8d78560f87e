"""Read who waits for a server, and what came of serving them."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.orders.serve_backlog import Served
from app.domain.orders.states import IN_FLIGHT
from app.domain.orders.wait_for_stock import WAITING

_LINES = """
SELECT o.id, o.number, a.name AS client, p.name AS product, o.hostname, o.paid_at, o.priority,
       o.passed
FROM client_order o JOIN account a ON a.id = o.account JOIN product p ON p.id = o.product
WHERE o.state = ANY($1) AND o.state_reason = $2
AND NOT EXISTS (SELECT FROM server s WHERE s.holder = o.id)
ORDER BY o.priority DESC, o.paid_at, o.number LIMIT $3
"""


class WaitingLine(msgspec.Struct, frozen=True, kw_only=True):
    """One order that is paid and waits for a server."""

    id: UUID
    number: int
    client: str
    product: str
    hostname: str
    paid_at: datetime | None
    priority: int
    """Higher ones are served first; 0 is usual."""
    passed: int
    """How often others of its priority or a lower one were served while it waited."""


async def waiting_lines(tx: Tx, *, limit: int) -> tuple[WaitingLine, ...]:
    """Return who waits, the higher priorities first, then those paid first. One statement."""
    rows = await tx.fetch(_LINES, list(IN_FLIGHT), WAITING, limit)
    return tuple(WaitingLine(**dict(row)) for row in rows)


async def last_served(tx: Tx, *, limit: int = 20) -> tuple[Served, ...]:
    """Return what came of the last times that stock appeared for them, the latest first."""
    rows = await tx.fetch(
        "SELECT at, waiting, placed, bound, is_proven, took_ms FROM backlog_plan "
        "ORDER BY at DESC LIMIT $1",
        limit,
    )
    return tuple(Served(**dict(row)) for row in rows)
