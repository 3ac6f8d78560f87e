"""Write a rack down with its room, its row and its limits."""

from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.inventory.seed import RackSeed
from app.domain.inventory.units import fault_of

_FACTS = (
    "u_height",
    "power_budget_watts",
    "place",
    "feed_a_watts",
    "feed_b_watts",
    "cooling_watts",
    "weight_kg",
    "most_of_client",
    "note",
)


async def register_rack(tx: Tx, rack: RackSeed) -> UUID:
    """Return the rack's id; one that is known is brought to what the seed says. Raises Invalid."""
    datacentre = await tx.fetchval("SELECT id FROM datacentre WHERE code = $1", rack.datacentre)
    if datacentre is None:
        raise Invalid({"datacentre": f"There is no datacentre {rack.datacentre}."})
    values = ", ".join(f"${place}" for place in range(5, 5 + len(_FACTS)))
    changes = ", ".join(f"{name} = excluded.{name}" for name in _FACTS)
    try:
        async with tx.savepoint():
            written: UUID = await tx.fetchval(
                f"INSERT INTO rack (id, datacentre, name, rack_row, {', '.join(_FACTS)}) "
                f"VALUES ($1, $2, $3, $4, {values}) ON CONFLICT (datacentre, name) DO UPDATE SET "
                f"rack_row = excluded.rack_row, {changes} RETURNING id",
                new_id(),
                datacentre,
                rack.name,
                await _row(tx, datacentre, rack),
                *(getattr(rack, name) for name in _FACTS),
            )
    except asyncpg.CheckViolationError as error:
        if error.constraint_name != "within_rack":
            raise fault_of(error) from error
        raise Invalid({"u_height": "Something stands above that. Move it first."}) from error
    return written


async def _row(tx: Tx, datacentre: UUID, rack: RackSeed) -> UUID | None:
    """Return the row that the rack stands in, made with its room when they are new."""
    if not rack.row and not rack.room:
        return None
    if not (rack.row and rack.room):
        raise Invalid({"row": "A row is in a room: name both, or neither."})
    room = await tx.fetchval(
        "INSERT INTO room (id, datacentre, name) VALUES ($1, $2, $3) "
        "ON CONFLICT (datacentre, name) DO UPDATE SET name = excluded.name RETURNING id",
        new_id(),
        datacentre,
        rack.room,
    )
    row: UUID = await tx.fetchval(
        "INSERT INTO rack_row (id, room, name) VALUES ($1, $2, $3) "
        "ON CONFLICT (room, name) DO UPDATE SET name = excluded.name RETURNING id",
        new_id(),
        room,
        rack.row,
    )
    return row
