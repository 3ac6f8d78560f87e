"""Racks with all that stands in them, as the solver reads them."""

from collections import defaultdict
from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.inventory.states import ServerState
from app.solver.placing import Machine, RackSpace, Standing, left

PORTS = 4
"""Where the ports are in what `left` returns."""
CAN_MOVE = frozenset(
    {
        ServerState.enrolled,
        ServerState.available,
        ServerState.failed,
        ServerState.quarantined,
        ServerState.maintenance,
    }
)
"""States in which a machine may be switched off and carried elsewhere without asking anybody."""

_RACKS = """
SELECT r.id, r.u_height, r.feed_a_watts, r.feed_b_watts, r.weight_kg, r.most_of_client,
    least(r.cooling_watts, nullif(r.power_budget_watts, 0)) AS cooling_watts,
    (SELECT count(*) FROM port p JOIN device d ON d.id = p.device
     WHERE d.rack = r.id AND d.kind = 'switch' AND p.kind = 'network' AND NOT EXISTS (
         SELECT FROM cable c JOIN port o ON o.id IN (c.a_port, c.b_port) AND o.id <> p.id
         WHERE p.id IN (c.a_port, c.b_port) AND o.server IS NULL)) AS ports,
    EXISTS (SELECT FROM port p JOIN device d ON d.id = p.device
            WHERE d.rack = r.id AND d.kind = 'switch' AND p.kind = 'network') AS has_ports
FROM rack r WHERE r.id = ANY($1) ORDER BY r.name, r.id
"""
# A planned move counts where it goes for as long as it counts where it was.
_SERVERS = """
SELECT s.id, s.rack, s.u_position, s.u_height, s.power_draw_watts, s.feeds, s.weight_kg, s.state,
    o.account AS client, m.id AS move, m.rack AS to_rack, m.u_position AS to_u,
    greatest(1, (SELECT count(*) FROM port p JOIN cable c ON p.id IN (c.a_port, c.b_port)
                 WHERE p.server = s.id AND p.kind = 'network')) AS ports
FROM server s LEFT JOIN client_order o ON o.id = s.holder LEFT JOIN rack_move m ON m.server = s.id
"""
_DEVICES = """
SELECT id, rack, u_position, u_height, feeds, weight_kg, power_draw_watts
FROM device WHERE rack = ANY($1)
"""


async def read_spaces(
    tx: Tx, racks: Sequence[UUID], *, without: UUID | None = None
) -> list[RackSpace]:
    """Return the racks, named by their ids, with all that stands there but the server `without`.

    What draws power but fills no unit is taken off the limits. Ports are those of the rack's
    switches that no other device has; a rack without any written down has no limit of them.
    Three statements; about 20 µs a machine.
    """
    standing: dict[UUID, list[Standing]] = defaultdict(list)
    there_or_coming = f"{_SERVERS} WHERE s.rack = ANY($1) OR m.rack = ANY($1)"
    for row in await tx.fetch(there_or_coming, list(racks)):
        if row["id"] == without:
            continue
        machine = _machine_of(row)
        standing[row["rack"]].append(Standing(machine=machine, u_position=row["u_position"]))
        if row["move"] is not None:
            there = _machine(row, id_=row["move"], client=machine.client, ports=row["ports"])
            standing[row["to_rack"]].append(Standing(machine=there, u_position=row["to_u"]))
    unseen: dict[UUID, list[asyncpg.Record]] = defaultdict(list)
    for row in await tx.fetch(_DEVICES, list(racks)):
        if row["u_position"] is None:
            unseen[row["rack"]].append(row)
        else:
            there = _machine(row, id_=row["id"], client="", ports=0)
            standing[row["rack"]].append(Standing(machine=there, u_position=row["u_position"]))
    return [
        _space(row, standing[row["id"]], unseen[row["id"]])
        for row in await tx.fetch(_RACKS, list(racks))
    ]


async def ports_in(tx: Tx, rack: UUID) -> tuple[int, int] | None:
    """Return how many ports of the rack's switches are taken, of how many; None without any."""
    (space,) = await read_spaces(tx, [rack])
    free = left(space)[PORTS]
    return None if space.ports is None or free is None else (space.ports - free, space.ports)


async def racks_in(tx: Tx, datacentre: str) -> list[UUID]:
    """Return the racks of a datacentre by name."""
    rows = await tx.fetch(
        "SELECT r.id FROM rack r JOIN datacentre d ON d.id = r.datacentre WHERE d.code = $1 "
        "ORDER BY r.name",
        datacentre,
    )
    return [row["id"] for row in rows]


async def read_machine(tx: Tx, server: UUID) -> Machine:
    """Return a server as the solver places it. Raises NotFound."""
    row = await tx.fetchrow(f"{_SERVERS} WHERE s.id = $1", server)
    if row is None:
        raise NotFound("server", server)
    return _machine_of(row)


def _machine_of(row: asyncpg.Record) -> Machine:
    return _machine(
        row,
        id_=row["id"],
        client=str(row["client"] or ""),
        ports=row["ports"],
        can_move=row["state"] in CAN_MOVE and row["move"] is None,
    )


def _machine(
    row: asyncpg.Record, *, id_: UUID, client: str, ports: int, can_move: bool = False
) -> Machine:
    return Machine(
        id=id_,
        u_height=row["u_height"],
        watts=row["power_draw_watts"],
        feeds=row["feeds"],
        weight_kg=row["weight_kg"],
        ports=ports,
        client=client,
        can_move=can_move,
    )


def _space(
    rack: asyncpg.Record, standing: list[Standing], unseen: list[asyncpg.Record]
) -> RackSpace:
    drawn_a = sum(row["power_draw_watts"] for row in unseen if "A" in row["feeds"])
    drawn_b = sum(row["power_draw_watts"] for row in unseen if "B" in row["feeds"])
    drawn = sum(row["power_draw_watts"] for row in unseen)
    return RackSpace(
        name=str(rack["id"]),
        u_height=rack["u_height"],
        feed_a_watts=_less(rack["feed_a_watts"], drawn_a),
        feed_b_watts=_less(rack["feed_b_watts"], drawn_b),
        weight_kg=_less(rack["weight_kg"], sum(row["weight_kg"] for row in unseen)),
        cooling_watts=_less(rack["cooling_watts"], drawn),
        ports=rack["ports"] if rack["has_ports"] else None,
        most_of_client=rack["most_of_client"],
        standing=tuple(standing),
    )


def _less(limit: int | None, drawn: int) -> int | None:
    return None if limit is None else limit - drawn
