"""What was sold by day, less what ended: the demand that a forecast goes by."""

from datetime import UTC, datetime, time, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx

DAYS = 84
"""Twelve weeks."""

_SALES = """
SELECT product, day, sum(number)::int AS servers, sum(number * ip4)::int AS ip4 FROM (
    SELECT product, (paid_at AT TIME ZONE 'UTC')::date AS day, 1 AS number,
           1 + coalesce((selection ->> 'extra_ipv4')::int, 0) AS ip4
    FROM client_order WHERE paid_at >= $1
    UNION ALL
    SELECT product, (state_since AT TIME ZONE 'UTC')::date, -1,
           1 + coalesce((selection ->> 'extra_ipv4')::int, 0)
    FROM client_order WHERE state = 'cancelled' AND paid_at IS NOT NULL AND state_since >= $1
    UNION ALL
    SELECT o.product, (s.state_since AT TIME ZONE 'UTC')::date, -1,
           1 + coalesce((o.selection ->> 'extra_ipv4')::int, 0)
    FROM service s JOIN client_order o ON o.id = s."order"
    WHERE s.state = 'terminated' AND o.state <> 'cancelled' AND s.state_since >= $1
) sold GROUP BY product, day
"""


class Sales(msgspec.Struct, frozen=True, kw_only=True):
    """Net sales of a product of each whole day (UTC), the latest last; at most `DAYS`."""

    servers: tuple[int, ...]
    ip4: tuple[int, ...]


async def sales(tx: Tx) -> dict[UUID, Sales]:
    """Return the net sales of every product since it was made. Two statements."""
    today = tx.now().astimezone(UTC).date()
    first = today - timedelta(days=DAYS)
    rows = await tx.fetch(_SALES, datetime.combine(first, time(), UTC))
    counts = {(row["product"], row["day"]): (row["servers"], row["ip4"]) for row in rows}
    found = {}
    for row in await tx.fetch("SELECT id, created_at FROM product"):
        made = row["created_at"].astimezone(UTC).date()
        days = [first + timedelta(days=n) for n in range(DAYS) if first + timedelta(days=n) >= made]
        sold = [counts.get((row["id"], day), (0, 0)) for day in days]
        found[row["id"]] = Sales(
            servers=tuple(servers for servers, _ in sold), ip4=tuple(ip4 for _, ip4 in sold)
        )
    return found
