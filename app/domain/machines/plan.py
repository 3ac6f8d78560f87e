"""The plan of a service's machine: written before the machine is made, the same for every retry."""

from collections.abc import Iterable
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.machines.choose import Chosen, Promised
from app.domain.machines.rules import MachineSize
from app.drivers.hypervisor.iso import is_iso


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """Where the machine of a service is or will be, and what it is made of."""

    service: UUID
    connection: str
    datacentre: str
    rack: str
    node: str
    storage: str
    bridge: str
    plan: str
    template: str
    cores: int
    memory_mb: int
    disk_gb: int


_PLANNED = """
SELECT service, connection, datacentre, rack, node, storage, bridge, plan, template, cores,
       memory_mb, disk_gb FROM machine WHERE service = $1
"""


async def planned_machine(tx: Tx, service: UUID) -> Planned | None:
    """Return the plan of a machine that is not removed; one statement."""
    row = await tx.fetchrow(f"{_PLANNED} AND removed_at IS NULL", service)
    return None if row is None else msgspec.convert(dict(row), Planned)


async def connection_of(tx: Tx, service: UUID) -> str | None:
    """Return at which connection a service has its machine, or had it; None without a plan."""
    name: str | None = await tx.fetchval(
        "SELECT connection FROM machine WHERE service = $1", service
    )
    return name


async def promised(tx: Tx, connections: Iterable[str]) -> dict[tuple[str, str], Promised]:
    """Return what is planned and not made, by connection and node.

    Others that plan wait until this transaction ends: two machines are not given one place.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('machines', 0))")
    rows = await tx.fetch(
        "SELECT connection, node, sum(memory_mb)::bigint AS memory_mb, "
        "sum(disk_gb)::bigint AS disk_gb FROM machine WHERE made_at IS NULL "
        "AND removed_at IS NULL AND connection = ANY($1) GROUP BY connection, node",
        list(connections),
    )
    return {
        (row["connection"], row["node"]): Promised(row["memory_mb"], row["disk_gb"]) for row in rows
    }


async def write_plan(
    tx: Tx, service: UUID, chosen: Chosen, size: MachineSize, template: str
) -> Planned:
    """Write the plan down and return it; one that is there already is returned instead."""
    place = chosen.place
    await tx.execute(
        "INSERT INTO machine (id, service, connection, datacentre, rack, node, storage, bridge, "
        "plan, template, cores, memory_mb, disk_gb, planned_at, is_iso_in) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15) "
        "ON CONFLICT (service) DO UPDATE SET connection = excluded.connection, "
        "datacentre = excluded.datacentre, rack = excluded.rack, node = excluded.node, "
        "storage = excluded.storage, bridge = excluded.bridge, plan = excluded.plan, "
        "template = excluded.template, is_iso_in = excluded.is_iso_in, "
        "cores = excluded.cores, memory_mb = excluded.memory_mb, disk_gb = excluded.disk_gb, "
        "planned_at = excluded.planned_at, number = '', power = 'unknown', power_seen_at = NULL, "
        "made_at = NULL, removed_at = NULL, drift = '', drift_since = NULL "
        "WHERE machine.removed_at IS NOT NULL",
        new_id(),
        service,
        place.connection,
        place.datacentre,
        place.rack,
        chosen.node,
        place.storage,
        place.bridge,
        place.plan,
        template,
        size.cores,
        size.memory_mb,
        size.disk_gb,
        tx.now(),
        is_iso(template),
    )
    row = await tx.fetchrow(_PLANNED, service)
    return msgspec.convert(dict(row or {}), Planned)


async def forget_plan(tx: Tx, service: UUID) -> None:
    """Drop the plan of a machine that is not to be made; without one, do nothing."""
    await tx.execute("DELETE FROM machine WHERE service = $1", service)
