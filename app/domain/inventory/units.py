"""Which units of a rack are free, and what is said when they are not."""

from collections.abc import Collection
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid

_THERE = """
SELECT coalesce(s.name, d.name, 'the planned move of ' || t.name) AS name, p.u_position, p.u_height
FROM rack_space p LEFT JOIN server s ON s.id = p.occupant LEFT JOIN device d ON d.id = p.occupant
LEFT JOIN rack_move m ON m.id = p.occupant LEFT JOIN server t ON t.id = m.server
WHERE p.rack = $1 AND p.occupant <> ALL($2::uuid[])
AND (p.side = 'both' OR $3 = 'both' OR p.side = $3)
"""

_FAULTS = {
    "server_name_key": ("name", "Another server has this name."),
    "server_mac_key": ("mac", "Another server has this network card."),
    "server_serial_key": ("serial", "Another server has this serial number."),
    "device_name_key": ("name", "Another device has this name."),
    "port_mac_key": ("mac", "Another port has this MAC."),
    "port_once": ("name", "There is a port of this name already."),
    "one_cable_a_port": ("b", "There is a cable in one of these ports already. Unplug it first."),
    "two_ends": ("b", "A cable needs two different ports."),
    "rack_space_apart": ("u_position", "Something else stands there by now."),
    "within_rack": ("u_position", "The rack is not as high as that."),
}
"""What a constraint of the database keeps: the field at fault, and what to say."""


def fault_of(error: asyncpg.IntegrityConstraintViolationError) -> Invalid:
    """Return what a broken constraint says of which field."""
    field, words = _FAULTS.get(error.constraint_name or "", ("", f"It is refused: {error}."))
    return Invalid({field: words})


async def rack_of(tx: Tx, datacentre: str, name: str) -> UUID:
    """Return the id of a rack. Raises Invalid on `rack`."""
    rack: UUID | None = await tx.fetchval(
        "SELECT r.id FROM rack r JOIN datacentre d ON d.id = r.datacentre "
        "WHERE d.code = $1 AND r.name = $2",
        datacentre,
        name,
    )
    if rack is None:
        raise Invalid({"rack": f"There is no rack {name} in {datacentre}."})
    return rack


async def taken_units(
    tx: Tx, rack: UUID, side: str, *, besides: Collection[UUID] = ()
) -> dict[int, str]:
    """Return who stands in which unit, as one sees it who wants `side`; one statement."""
    rows = await tx.fetch(_THERE, rack, list(besides), side)
    return {
        unit: row["name"]
        for row in rows
        for unit in range(row["u_position"], row["u_position"] + row["u_height"])
    }


async def require_units(
    tx: Tx,
    rack: UUID,
    u_position: int,
    u_height: int,
    side: str,
    *,
    besides: Collection[UUID] = (),
) -> None:
    """Raise Invalid on `u_position` where the units are not there or not free.

    The constraints of `rack_space` have the last word; this says who is in the way.
    """
    units = await tx.fetchval("SELECT u_height FROM rack WHERE id = $1", rack)
    if u_position + u_height - 1 > units:
        raise Invalid({"u_position": f"The rack ends at unit {units}."})
    taken = await taken_units(tx, rack, side, besides=besides)
    for unit in range(u_position, u_position + u_height):
        if unit in taken:
            raise Invalid({"u_position": f"{taken[unit]} stands at unit {unit}."})
