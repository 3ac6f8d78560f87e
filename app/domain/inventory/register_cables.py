"""Write devices, ports and cables down; idempotent by name, as all of a seed."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.inventory.seed import CableSeed, DeviceSeed, PortSeed
from app.domain.inventory.units import fault_of, rack_of, require_units

_FACTS = ("kind", "model", "serial", "side", "feeds", "power_draw_watts", "weight_kg", "note")
_PORT = """
SELECT p.id, p.kind FROM port p LEFT JOIN server s ON s.id = p.server
LEFT JOIN device d ON d.id = p.device WHERE coalesce(s.name, d.name) = $1 AND p.name = $2
"""


async def register_device(tx: Tx, device: DeviceSeed) -> UUID:
    """Return the device's id, known by its name. Raises Invalid, by field."""
    known = await tx.fetchval("SELECT id FROM device WHERE name = $1", device.name)
    rack = await rack_of(tx, device.datacentre, device.rack)
    u_height = 0 if device.u_position is None else device.u_height
    if device.u_position is not None:
        besides = [known] if known else []
        await require_units(tx, rack, device.u_position, u_height, device.side, besides=besides)
    values = ", ".join(f"${place}" for place in range(6, 6 + len(_FACTS)))
    changes = ", ".join(
        f"{name} = excluded.{name}" for name in ("rack", "u_position", "u_height", *_FACTS)
    )
    try:
        async with tx.savepoint():
            written: UUID = await tx.fetchval(
                f"INSERT INTO device (id, name, rack, u_position, u_height, {', '.join(_FACTS)}) "
                f"VALUES ($1, $2, $3, $4, $5, {values}) "
                f"ON CONFLICT (name) DO UPDATE SET {changes} RETURNING id",
                new_id(),
                device.name,
                rack,
                device.u_position,
                u_height,
                *(getattr(device, name) for name in _FACTS),
            )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise fault_of(error) from error
    await register_ports(tx, device.ports, device=written)
    tx.publish("servers")
    return written


async def register_ports(
    tx: Tx, ports: Sequence[PortSeed], *, server: UUID | None = None, device: UUID | None = None
) -> None:
    """Write the ports of a server or of a device down; those not named stay. Raises Invalid.

    A port with a cable in it stays of its kind, as the cable's other end is of it.
    """
    plugged = await tx.fetchval(
        "SELECT p.name FROM port p JOIN unnest($3::text[], $4::text[]) AS n (name, kind) "
        "ON n.name = p.name AND n.kind <> p.kind WHERE p.server IS NOT DISTINCT FROM $1 "
        "AND p.device IS NOT DISTINCT FROM $2 "
        "AND EXISTS (SELECT FROM cable c WHERE p.id IN (c.a_port, c.b_port)) LIMIT 1",
        server,
        device,
        [port.name for port in ports],
        [port.kind for port in ports],
    )
    if plugged is not None:
        raise Invalid({"kind": f"A cable is in port {plugged}. Take it out first."})
    try:
        async with tx.savepoint():
            await tx.executemany(
                "INSERT INTO port (id, server, device, name, kind, mac, speed_mbps) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (server, device, name) "
                "DO UPDATE SET kind = excluded.kind, mac = excluded.mac, "
                "speed_mbps = excluded.speed_mbps",
                [
                    (new_id(), server, device, port.name, port.kind, port.mac, port.speed_mbps)
                    for port in ports
                ],
            )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise fault_of(error) from error


async def register_cable(tx: Tx, cable: CableSeed) -> UUID:
    """Return the cable's id; one between the same ports is brought up to date. Raises Invalid."""
    a, a_kind = await _port(tx, "a", cable.a)
    b, b_kind = await _port(tx, "b", cable.b)
    if a_kind != b_kind:
        raise Invalid({"b": f"A {a_kind} port and a {b_kind} port take no cable together."})
    return await plug(tx, a, b, label=cable.label, colour=cable.colour, length_cm=cable.length_cm)


async def plug(tx: Tx, a: UUID, b: UUID, *, label: str, colour: str, length_cm: int) -> UUID:
    """Put a cable between two ports of one kind. Raises Invalid on `b` when one has another."""
    known: UUID | None = await tx.fetchval(
        "UPDATE cable SET label = $3, colour = $4, length_cm = $5 "
        "WHERE (a_port, b_port) IN (($1, $2), ($2, $1)) RETURNING id",
        a,
        b,
        label,
        colour,
        length_cm,
    )
    if known is not None:
        return known
    made = new_id()
    try:
        async with tx.savepoint():
            await tx.execute(
                "INSERT INTO cable (id, a_port, b_port, label, colour, length_cm) "
                "VALUES ($1, $2, $3, $4, $5, $6)",
                made,
                a,
                b,
                label,
                colour,
                length_cm,
            )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise fault_of(error) from error
    return made


async def _port(tx: Tx, field: str, end: tuple[str, str]) -> tuple[UUID, str]:
    rows = await tx.fetch(_PORT, *end)
    if len(rows) != 1:
        owner, name = end
        raise Invalid({field: f"There is no one port {name} on {owner}. Write it down first."})
    return rows[0]["id"], rows[0]["kind"]
