"""Put a server into another place, if the rules of the rack allow it."""

from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.audit.record import record
from app.domain.inventory.errors import NoRoom
from app.domain.inventory.rooms import lock_rack
from app.domain.inventory.seed import Side
from app.domain.inventory.spaces import read_machine, read_spaces
from app.domain.inventory.states import offer_anew, tell
from app.domain.inventory.units import fault_of, taken_units
from app.solver.obstacles import Obstacle, obstacles
from app.solver.placing import Machine


class Place(msgspec.Struct, frozen=True):
    """Somewhere in a rack: the lowest unit, and the side."""

    rack: UUID
    u_position: int
    side: Side = "both"


async def obstacles_to(tx: Tx, server: UUID, place: Place) -> tuple[Obstacle, ...]:
    """Return what keeps a server from a place; it and its planned move are not in its way.

    Six statements. Raises NotFound.
    """
    machine = await read_machine(tx, server)
    move = await tx.fetchval("SELECT id FROM rack_move WHERE server = $1", server)
    besides = [server] if move is None else [server, move]
    return await _obstacles(tx, machine, place, besides)


async def obstacles_to_new(tx: Tx, machine: Machine, place: Place) -> tuple[Obstacle, ...]:
    """Return what keeps a machine that stands nowhere yet from a place. Raises NotFound."""
    return await _obstacles(tx, machine, place, [])


async def _obstacles(
    tx: Tx, machine: Machine, place: Place, besides: list[UUID]
) -> tuple[Obstacle, ...]:
    spaces = await read_spaces(tx, [place.rack], without=machine.id)
    if not spaces:
        raise NotFound("rack", place.rack)
    taken = await taken_units(tx, place.rack, place.side, besides=besides)
    return obstacles(spaces[0], machine, place.u_position, taken=taken)


async def relocate(
    tx: Tx,
    server: UUID,
    place: Place,
    *,
    actor: UUID | None,
    actor_label: str,
    reason: str = "",
) -> None:
    """Write down that a server stands at `place` now, and audit it; a planned move of it ends.

    Whoever else fills the rack or is sold a server of it waits meanwhile, so its limits hold; who
    is about to be sold this one as it stood before looks again. A server that a client runs on
    may be moved: the record follows what people did. Raises NoRoom, NotFound.
    """
    await tx.execute("SELECT FROM rack WHERE id = $1 FOR NO KEY UPDATE", place.rack)
    before = await tx.fetchrow(
        "SELECT s.name, s.holder, r.name AS rack, s.u_position, s.side FROM server s "
        "JOIN rack r ON r.id = s.rack WHERE s.id = $1 FOR NO KEY UPDATE OF s",
        server,
    )
    if before is None:
        raise NotFound("server", server)
    # After the server, as a sale does: the other way round the two could wait for each other.
    await lock_rack(tx, place.rack)
    if found := await obstacles_to(tx, server, place):
        raise NoRoom(before["name"], found)
    await tx.execute("DELETE FROM rack_move WHERE server = $1", server)
    try:
        async with tx.savepoint():
            rack = await tx.fetchval(
                "UPDATE server s SET rack = $2, u_position = $3, side = $4 FROM rack r "
                "WHERE s.id = $1 AND r.id = $2 RETURNING r.name",
                server,
                place.rack,
                place.u_position,
                place.side,
            )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise fault_of(error) from error
    await offer_anew(tx, server)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="inventory.relocate",
        subject_kind="server",
        subject=server,
        before={"rack": before["rack"], "unit": before["u_position"], "side": before["side"]},
        after={"rack": rack, "unit": place.u_position, "side": place.side},
        reason=reason,
    )
    tell(tx, server, before["holder"])
