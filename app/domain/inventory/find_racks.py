"""Read racks: one whole, or all of a datacentre at a glance."""

from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.inventory.find import servers_in
from app.domain.inventory.seed import RackSeed
from app.domain.inventory.views import DeviceView, PlannedMove, RackSummary, RackView
from app.solver.placing import RackSpace, gaps

_RACK = """
SELECT r.id, d.code AS datacentre, r.name, coalesce(m.name, '') AS room,
    coalesce(w.name, '') AS row, r.place, r.u_height, r.power_budget_watts, r.feed_a_watts,
    r.feed_b_watts, r.cooling_watts, r.weight_kg, r.most_of_client, r.note
FROM rack r JOIN datacentre d ON d.id = r.datacentre LEFT JOIN rack_row w ON w.id = r.rack_row
LEFT JOIN room m ON m.id = w.room
"""
_DEVICES = """
SELECT v.id, v.kind, v.name, v.model, v.serial, r.id AS rack_id, r.name AS rack,
    d.code AS datacentre, v.u_position, v.u_height, v.side, v.feeds, v.power_draw_watts,
    v.weight_kg, v.note, (SELECT count(*) FROM port p WHERE p.device = v.id) AS ports,
    (SELECT count(*) FROM port p JOIN cable c ON p.id IN (c.a_port, c.b_port)
     WHERE p.device = v.id) AS cabled
FROM device v JOIN rack r ON r.id = v.rack JOIN datacentre d ON d.id = r.datacentre
"""
_MOVES = """
SELECT m.server, s.name AS server_name, m.u_position, m.u_height, m.side
FROM rack_move m JOIN server s ON s.id = m.server WHERE m.rack = $1 ORDER BY m.u_position
"""
_GLANCE = """
SELECT r.id, r.name, coalesce(m.name, '') AS room, coalesce(w.name, '') AS row, r.u_height,
    least(nullif(r.power_budget_watts, 0), r.feed_a_watts, r.feed_b_watts, r.cooling_watts)
        AS limit_watts,
    coalesce((SELECT sum(power_draw_watts) FROM server WHERE rack = r.id), 0)
        + coalesce((SELECT sum(power_draw_watts) FROM device WHERE rack = r.id), 0)
        AS power_draw_watts,
    (SELECT coalesce(array_agg(u), '{}') FROM (SELECT DISTINCT
        generate_series(p.u_position, p.u_position + p.u_height - 1) AS u
        FROM rack_space p WHERE p.rack = r.id) units) AS taken,
    (SELECT coalesce(jsonb_object_agg(state, n), '{}') FROM (SELECT state, count(*) AS n
        FROM server WHERE rack = r.id GROUP BY state) counted) AS states
FROM rack r JOIN datacentre d ON d.id = r.datacentre LEFT JOIN rack_row w ON w.id = r.rack_row
LEFT JOIN room m ON m.id = w.room
WHERE d.code = $1 ORDER BY room, row, r.place, r.name
"""


async def rack_view(tx: Tx, rack_id: UUID) -> RackView:
    """Return a rack with its servers, devices and planned moves. Four statements. NotFound."""
    rack = await tx.fetchrow(f"{_RACK} WHERE r.id = $1", rack_id)
    if rack is None:
        raise NotFound("rack", rack_id)
    devices = await tx.fetch(f"{_DEVICES} WHERE v.rack = $1 ORDER BY v.u_position, v.name", rack_id)
    moves = await tx.fetch(_MOVES, rack_id)
    return RackView(
        **dict(rack),
        servers=await servers_in(tx, rack_id),
        devices=tuple(DeviceView(**dict(row)) for row in devices),
        moves=tuple(PlannedMove(**dict(row)) for row in moves),
    )


async def find_device(tx: Tx, device_id: UUID) -> DeviceView:
    """Return a device. Raises NotFound."""
    row = await tx.fetchrow(f"{_DEVICES} WHERE v.id = $1", device_id)
    if row is None:
        raise NotFound("device", device_id)
    return DeviceView(**dict(row))


async def latest_devices(
    tx: Tx, *, rack: UUID | None, before: UUID | None, limit: int
) -> list[DeviceView]:
    """Return devices by id, the latest first, of one rack or of all; one statement."""
    rows = await tx.fetch(
        f"{_DEVICES} WHERE ($1::uuid IS NULL OR v.rack = $1) AND ($2::uuid IS NULL OR v.id < $2) "
        "ORDER BY v.id DESC LIMIT $3",
        rack,
        before,
        limit,
    )
    return [DeviceView(**dict(row)) for row in rows]


async def glance(tx: Tx, datacentre: str) -> tuple[RackSummary, ...]:
    """Return all racks of a datacentre by room, row and place; one statement."""
    return tuple(_summary(row) for row in await tx.fetch(_GLANCE, datacentre))


async def latest_racks(
    tx: Tx, *, datacentre: str, before: UUID | None, limit: int
) -> list[RackView]:
    """Return racks by id, the latest first; four statements a rack."""
    rows = await tx.fetch(
        "SELECT r.id FROM rack r JOIN datacentre d ON d.id = r.datacentre "
        "WHERE ($1 = '' OR d.code = $1) AND ($2::uuid IS NULL OR r.id < $2) "
        "ORDER BY r.id DESC LIMIT $3",
        datacentre,
        before,
        limit,
    )
    return [await rack_view(tx, row["id"]) for row in rows]


async def rack_seed(tx: Tx, rack_id: UUID) -> RackSeed:
    """Return what is written down of a rack, as `register_rack` takes it. Raises NotFound."""
    row = await tx.fetchrow(f"{_RACK} WHERE r.id = $1", rack_id)
    if row is None:
        raise NotFound("rack", rack_id)
    return RackSeed(**{name: value for name, value in row.items() if name != "id"})


def _summary(row: asyncpg.Record) -> RackSummary:
    taken = tuple(row["taken"])
    free = gaps(RackSpace(name="", u_height=row["u_height"], blocked=taken))
    facts = {name: value for name, value in row.items() if name not in {"taken", "states"}}
    return msgspec.convert(
        {
            **facts,
            "used_units": len(taken),
            "largest_gap": max(free.values(), default=0),
            "states": msgspec.json.decode(row["states"]),
        },
        RackSummary,
    )
