"""What is written down of servers, as a seed would say it; passwords are left out."""

from collections.abc import Sequence
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.inventory.seed import DiskSeed, ServerSeed
from app.solver.want import DiskKind

_SERVERS = """
SELECT s.name, s.serial, s.model, d.code AS datacentre, r.name AS rack, s.u_position, s.u_height,
    s.side, c.name AS cpu_model, s.cpu_count, s.ram_gb, s.raid_controller, s.raid_model,
    s.power_draw_watts, s.feeds, s.weight_kg, s.mac, s.warranty_ends_on, s.note,
    (SELECT coalesce(jsonb_agg(jsonb_build_array(k.kind, k.capacity_gb, k.quantity)
                               ORDER BY k.kind, k.capacity_gb), '[]')
     FROM disk k WHERE k.server = s.id) AS disks
FROM server s JOIN rack r ON r.id = s.rack JOIN datacentre d ON d.id = r.datacentre
JOIN cpu_model c ON c.id = s.cpu_model
"""


async def server_seeds(tx: Tx, *, serials: Sequence[str] | None = None) -> dict[str, ServerSeed]:
    """Return servers by serial number, without ports and BMCs; all, or those of `serials`."""
    where = "WHERE $1::text[] IS NULL OR s.serial = ANY($1)"
    rows = await tx.fetch(f"{_SERVERS} {where} ORDER BY d.code, r.name, s.u_position", serials)
    return {row["serial"]: _seed(row) for row in rows}


async def server_seed(tx: Tx, server: UUID) -> ServerSeed:
    """Return one server. Raises NotFound."""
    row = await tx.fetchrow(f"{_SERVERS} WHERE s.id = $1", server)
    if row is None:
        raise NotFound("server", server)
    return _seed(row)


def _seed(row: asyncpg.Record) -> ServerSeed:
    disks = tuple(
        DiskSeed(kind=DiskKind(kind), capacity_gb=capacity_gb, quantity=quantity)
        for kind, capacity_gb, quantity in msgspec.json.decode(row["disks"])
    )
    return ServerSeed(**{**dict(row), "disks": disks})
