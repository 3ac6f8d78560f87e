"""What the racks have left, as the solver reads it: the side rules of orders."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.kept import Kept
from app.solver.inventory import RackKey
from app.solver.room import RackRoom, Side

# A machine that nobody has is switched off: it draws power when it is sold. Devices always do.
# What all in the rack may draw together bounds each feed too: either must carry it alone.
_ROOMS = """
SELECT d.code AS datacentre, r.name AS rack,
       least(nullif(r.power_budget_watts, 0) - coalesce(p.watts, 0),
             r.feed_a_watts - coalesce(p.a_watts, 0)) AS a_watts,
       least(nullif(r.power_budget_watts, 0) - coalesce(p.watts, 0),
             r.feed_b_watts - coalesce(p.b_watts, 0)) AS b_watts,
       r.cooling_watts - coalesce(p.watts, 0) AS cooling_watts,
       r.most_of_client, coalesce(c.clients, '{}') AS clients
FROM rack r JOIN datacentre d ON d.id = r.datacentre
LEFT JOIN (SELECT rack, sum(power_draw_watts) AS watts,
                  sum(power_draw_watts) FILTER (WHERE feeds LIKE '%A%') AS a_watts,
                  sum(power_draw_watts) FILTER (WHERE feeds LIKE '%B%') AS b_watts
           FROM (SELECT rack, power_draw_watts, feeds FROM server
                 WHERE state NOT IN ('enrolled', 'available') AND holder IS DISTINCT FROM $1
                 UNION ALL SELECT rack, power_draw_watts, feeds FROM device) draws
           GROUP BY rack) p ON p.rack = r.id
LEFT JOIN (SELECT rack, jsonb_object_agg(account, machines) AS clients FROM (
               SELECT s.rack, o.account, count(*) AS machines
               FROM server s JOIN client_order o ON o.id = s.holder
               WHERE o.account = ANY($2) AND s.holder IS DISTINCT FROM $1
               GROUP BY s.rack, o.account) a
           GROUP BY rack) c ON c.rack = r.id
WHERE (r.power_budget_watts > 0 OR c.clients IS NOT NULL
       OR num_nonnulls(r.feed_a_watts, r.feed_b_watts, r.cooling_watts, r.most_of_client) > 0)
AND ($3::uuid IS NULL OR r.id = (SELECT rack FROM server WHERE id = $3))
ORDER BY d.code, r.name
"""


KEPT = 4
"""Readings that are kept in this process, the latest ones."""

_latest = Kept[tuple[RackRoom, ...]](KEPT)


async def read_rooms(
    tx: Tx, clients: Collection[UUID], *, but_for: UUID | None = None, around: UUID | None = None
) -> tuple[RackRoom, ...]:
    """Return the racks that limit anything, and how many machines these clients have in each.

    What `but_for`, an order, has is not counted; `around` is a server whose rack alone is
    looked at. One statement over the servers that are in use; a short one while nothing is written.
    """
    asked = (but_for, tuple(clients), around)
    return await _latest.get(tx, asked, lambda: _read(tx, *asked))


async def _read(
    tx: Tx, but_for: UUID | None, clients: Collection[UUID], around: UUID | None
) -> tuple[RackRoom, ...]:
    rows = await tx.fetch(_ROOMS, but_for, list(clients), around)
    return tuple(
        RackRoom(
            datacentre=row["datacentre"],
            rack=row["rack"],
            feed_a_watts=row["a_watts"],
            feed_b_watts=row["b_watts"],
            cooling_watts=row["cooling_watts"],
            clients=msgspec.json.decode(row["clients"]),
            most_of_client=row["most_of_client"],
        )
        for row in rows
    )


async def read_side(tx: Tx, holder: UUID, *, around: UUID | None = None) -> Side:
    """Return the racks as an order meets them, its own server not counted."""
    client = await tx.fetchval("SELECT account FROM client_order WHERE id = $1", holder)
    rooms = await read_rooms(tx, [] if client is None else [client], but_for=holder, around=around)
    return Side(racks=rooms, client="" if client is None else str(client))


def crowds(side: Side) -> dict[RackKey, int]:
    """Return how many machines the client has in each rack where there are any."""
    return {
        (room.datacentre, room.rack): room.clients[side.client]
        for room in side.racks
        if side.client in room.clients
    }


async def lock_rack(tx: Tx, rack: UUID) -> None:
    """Have the others who take a server of the rack, or put one into it, wait until the commit.

    An advisory lock: whoever writes racks or servers down is not kept waiting by it. Who needs
    a server's row as well locks that first.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"rack:{rack}")


async def lock_rack_of(tx: Tx, server: UUID) -> None:
    """Do so for the rack of a server that this transaction has locked, so that it stays there."""
    await lock_rack(tx, await tx.fetchval("SELECT rack FROM server WHERE id = $1", server))
