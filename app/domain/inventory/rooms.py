"""What the racks have left, as the solver reads it: the side rules of orders."""

from collections.abc import Collection
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.kept import Kept
from app.solver.inventory import RackKey
from app.solver.room import RackRoom, Side

# VLANs left in the racks that have groups of their own, those promised taken off: who has a server
# in a rack and no VLAN yet gets one there. Nothing limits a rack where the datacentre has a group
# for all of them, or a prefix whose orders share a VLAN.
_VLANS = """
SELECT g.rack, sum(g.last_vid - g.first_vid + 1 - (
           SELECT count(*) FROM address_claim c
           WHERE c.kind = 'vlan' AND c.scope = g.id AND c.holder IS DISTINCT FROM $1
           AND (c.expires_at IS NULL OR c.expires_at > $4))) - coalesce(min(t.orders), 0) AS vlans
FROM vlan_group g LEFT JOIN (
    SELECT s.rack, count(*) AS orders
    FROM server s JOIN client_order o ON o.id = s.holder JOIN product p ON p.id = o.product
    WHERE o.id IS DISTINCT FROM $1 AND o.state IN ('paid', 'provisioning')
    AND coalesce((p.address_rules->>'vlan')::boolean, true)
    AND NOT EXISTS (SELECT FROM address_claim c WHERE c.holder = o.id AND c.kind = 'vlan')
    GROUP BY s.rack) t ON t.rack = g.rack
WHERE NOT EXISTS (SELECT FROM vlan_group w WHERE w.datacentre = g.datacentre AND w.rack IS NULL)
AND NOT EXISTS (SELECT FROM prefix x WHERE x.datacentre = g.datacentre
                AND x.vid IS NOT NULL AND (x.rack IS NULL OR x.rack = g.rack))
GROUP BY g.rack
"""
# A machine that nobody has is switched off: it draws power when it is sold. Devices always do.
# What all in the rack may draw together bounds each feed too: either must carry it alone.
# Ports are not asked for: what stands in a rack has its own, from the day it was racked.
_ROOMS = f"""
SELECT d.code AS datacentre, r.name AS rack,
       least(nullif(r.power_budget_watts, 0) - coalesce(p.watts, 0),
             r.feed_a_watts - coalesce(p.a_watts, 0)) AS a_watts,
       least(nullif(r.power_budget_watts, 0) - coalesce(p.watts, 0),
             r.feed_b_watts - coalesce(p.b_watts, 0)) AS b_watts,
       r.cooling_watts - coalesce(p.watts, 0) AS cooling_watts,
       v.vlans, r.most_of_client, coalesce(c.clients, '{{}}') AS clients
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
LEFT JOIN ({_VLANS}) v ON v.rack = r.id
WHERE (r.power_budget_watts > 0 OR c.clients IS NOT NULL OR v.vlans IS NOT NULL
       OR num_nonnulls(r.feed_a_watts, r.feed_b_watts, r.cooling_watts, r.most_of_client) > 0)
AND ($3::uuid IS NULL OR r.id = (SELECT rack FROM server WHERE id = $3))
ORDER BY d.code, r.name
"""
_ASKER = """
SELECT o.account, coalesce((p.address_rules->>'vlan')::boolean, true) AS takes_vlan
FROM client_order o JOIN product p ON p.id = o.product WHERE o.id = $1
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
    rows = await tx.fetch(_ROOMS, but_for, list(clients), around, tx.now())
    return tuple(
        RackRoom(
            datacentre=row["datacentre"],
            rack=row["rack"],
            feed_a_watts=row["a_watts"],
            feed_b_watts=row["b_watts"],
            cooling_watts=row["cooling_watts"],
            vlans=None if row["vlans"] is None else int(row["vlans"]),
            clients=msgspec.json.decode(row["clients"]),
            most_of_client=row["most_of_client"],
        )
        for row in rows
    )


async def read_side(tx: Tx, holder: UUID, *, around: UUID | None = None) -> Side:
    """Return the racks as an order meets them, its own server not counted."""
    order = await tx.fetchrow(_ASKER, holder)
    clients = [] if order is None else [order["account"]]
    rooms = await read_rooms(tx, clients, but_for=holder, around=around)
    if order is None:
        return Side(racks=rooms)
    return Side(racks=rooms, client=str(order["account"]), vlans=int(order["takes_vlan"]))


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


async def lock_turn(tx: Tx) -> None:
    """Have the others who lock several racks in one transaction wait until the commit.

    Two of them could otherwise wait for each other's. Before any server's row is locked.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('backlog', 0))")
