"""Plans of moves: made by the solver, accepted as tasks, done one by one by people."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

import msgspec

from app.core.apart import apart
from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.domain.audit.record import record
from app.domain.inventory.errors import NoPlan, NoRoom
from app.domain.inventory.relocate import Place, obstacles_to, relocate
from app.domain.inventory.spaces import racks_in, read_spaces
from app.solver.moves import Move, free_gap, relieve
from app.solver.placing import RackSpace

SEED = 1
LIMIT = 5.0
"""Deterministic seconds that the solver may take; about as many of one core."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A planned move as pages see it."""

    id: UUID
    server: UUID
    server_name: str
    u_height: int
    from_rack: UUID
    from_rack_name: str
    from_u: int
    to_rack: UUID
    to_rack_name: str
    to_u: int
    side: str
    reason: str
    created_at: datetime
    created_by: str


_TASKS = """
SELECT m.id, s.id AS server, s.name AS server_name, s.u_height, f.id AS from_rack,
    f.name AS from_rack_name, s.u_position AS from_u, t.id AS to_rack, t.name AS to_rack_name,
    m.u_position AS to_u, m.side, m.reason, m.created_at, m.created_by
FROM rack_move m JOIN server s ON s.id = m.server JOIN rack f ON f.id = s.rack
JOIN rack t ON t.id = m.rack
"""


async def read_for_plan(tx: Tx, datacentre: str) -> list[RackSpace]:
    """Return the racks of a datacentre for `gap_moves` and `relief_moves`."""
    return await read_spaces(tx, await racks_in(tx, datacentre))


async def gap_moves(
    spaces: Sequence[RackSpace], u_height: int, within: str = ""
) -> tuple[Move, ...]:
    """Return the fewest moves that free `u_height` units on end, in the rack `within` if given.

    In a process of its own, since it can take `LIMIT` seconds a stretch. Raises NoPlan.
    """
    plan = await apart(
        free_gap,
        spaces,
        u_height,
        within=[within] if within else (),
        seed=SEED,
        deterministic_limit=LIMIT,
    )
    if plan is None:
        raise NoPlan(f"frees {u_height} units on end")
    return plan.moves


async def relief_moves(spaces: Sequence[RackSpace], percent: int) -> tuple[Move, ...]:
    """Return the fewest moves after which no feed carries more than `percent` of its budget.

    In a process of its own, as `gap_moves`. Raises NoPlan.
    """
    moves = await apart(relieve, spaces, percent, seed=SEED, deterministic_limit=LIMIT)
    if moves is None:
        raise NoPlan(f"brings every feed to {percent} % of its budget")
    return moves


async def accept_moves(
    tx: Tx,
    places: Sequence[tuple[UUID, Place]],
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str,
) -> list[UUID]:
    """Make a task of each (server, place), all or none; each place is kept free from now on.

    Raises NoRoom for a place that is not free, or no longer, and NotFound.
    """
    made = []
    # Racks in one order, so that two plans don't wait for each other.
    for rack in sorted({place.rack for _, place in places}):
        await tx.execute("SELECT FROM rack WHERE id = $1 FOR NO KEY UPDATE", rack)
    for server, place in places:
        row = await tx.fetchrow("SELECT name, u_height, side FROM server WHERE id = $1", server)
        if row is None:
            raise NotFound("server", server)
        wanted = msgspec.structs.replace(place, side=row["side"])
        if found := await obstacles_to(tx, server, wanted):
            raise NoRoom(row["name"], found)
        task = new_id()
        await tx.execute("DELETE FROM rack_move WHERE server = $1", server)
        await tx.execute(
            "INSERT INTO rack_move (id, server, rack, u_position, u_height, side, reason, "
            "created_at, created_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            task,
            server,
            place.rack,
            place.u_position,
            row["u_height"],
            row["side"],
            reason,
            tx.now(),
            actor_label,
        )
        by = (actor, actor_label)
        await _record(tx, "inventory.plan_move", (server, place), by=by, reason=reason)
        made.append(task)
    tx.publish("servers")
    return made


async def list_tasks(tx: Tx) -> tuple[Task, ...]:
    """Return the planned moves, the oldest first."""
    rows = await tx.fetch(f"{_TASKS} ORDER BY m.created_at, m.id")
    return tuple(Task(**dict(row)) for row in rows)


async def find_task(tx: Tx, task: UUID) -> Task:
    """Return one planned move. Raises NotFound: it is not there, or no longer."""
    row = await tx.fetchrow(f"{_TASKS} WHERE m.id = $1", task)
    if row is None:
        raise NotFound("planned move", task)
    return Task(**dict(row))


async def finish_task(tx: Tx, task: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Write down that the server was carried to its new place. Raises NoRoom, NotFound."""
    one = await find_task(tx, task)
    place = Place(one.to_rack, one.to_u, one.side)  # type: ignore[arg-type]  # by its CHECK
    await relocate(tx, one.server, place, actor=actor, actor_label=actor_label, reason=one.reason)


async def drop_task(tx: Tx, task: UUID, *, actor: UUID | None, actor_label: str) -> None:
    """Take a planned move back; its place is free again. Raises NotFound."""
    one = await find_task(tx, task)
    await tx.execute("DELETE FROM rack_move WHERE id = $1", task)
    task_was = (one.server, Place(one.to_rack, one.to_u))
    by = (actor, actor_label)
    await _record(tx, "inventory.drop_move", task_was, by=by, reason=one.reason)
    tx.publish("servers")


async def _record(
    tx: Tx, action: str, task: tuple[UUID, Place], *, by: tuple[UUID | None, str], reason: str
) -> None:
    server, place = task
    rack = await tx.fetchval("SELECT name FROM rack WHERE id = $1", place.rack)
    await record(
        tx,
        actor=by[0],
        actor_label=by[1],
        action=action,
        subject_kind="server",
        subject=server,
        before={},
        after={"rack": rack, "unit": place.u_position},
        reason=reason,
    )
