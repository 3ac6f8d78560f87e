"""A made-up fleet in Slipway's own tables: free servers, in racks with power to spare."""

from collections.abc import Sequence

from app.core.database import Database, Tx
from app.core.ids import new_id
from app.solver.inventory import ServerFacts
from benchmarks.solver.fleet import PER_RACK

FEED_WATTS = 40_000
"""More than all machines of a rack draw: the side rules are looked at and refuse nothing."""

_SERVERS = """
INSERT INTO server (id, name, serial, mac, rack, u_position, cpu_model, ram_gb, raid_controller,
                    power_draw_watts, state, state_since)
SELECT f.id, f.name, 'serial ' || f.name, 'mac ' || f.name, r.id, f.unit, c.id, f.ram_gb,
       f.raid, f.watts, 'available', now()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::int[], $5::text[], $6::int[], $7::bool[],
            $8::int[], $9::text[]) AS f (id, name, rack, unit, cpu, ram_gb, raid, watts, site)
JOIN datacentre d ON d.code = f.site JOIN rack r ON r.datacentre = d.id AND r.name = f.rack
JOIN cpu_model c ON c.name = f.cpu
"""


async def empty(database: Database) -> None:
    """Take everything out of the stock."""
    async with database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'maintenance' WHERE state = 'available'")


async def stock(database: Database, servers: Sequence[ServerFacts]) -> None:
    """Add these, whole racks of them, to the stock."""
    async with database.transaction() as tx:
        await _places(tx, servers)
        models = {server.cpu_model: server.cores for server in servers}
        await tx.execute(
            "INSERT INTO cpu_model (id, name, cores) SELECT gen_random_uuid(), * FROM "
            "unnest($1::text[], $2::int[]) ON CONFLICT (name) DO UPDATE SET cores = excluded.cores",
            [*models], [*models.values()],
        )  # fmt: skip
        await tx.execute(
            _SERVERS, [server.id for server in servers], [server.name for server in servers],
            [server.rack for server in servers],
            [1 + place % PER_RACK for place in range(len(servers))],
            [server.cpu_model for server in servers], [server.ram_gb for server in servers],
            [server.raid_controller is not None for server in servers],
            [server.power_watts for server in servers],
            [server.datacentre for server in servers],
        )  # fmt: skip
        disks = [(server.id, disk) for server in servers for disk in server.disks]
        await tx.execute(
            "INSERT INTO disk (id, server, kind, capacity_gb, quantity) "
            "SELECT gen_random_uuid(), * FROM unnest($1::uuid[], $2::text[], $3::int[], $4::int[])",
            [server for server, _ in disks], [disk.kind for _, disk in disks],
            [disk.capacity_gb for _, disk in disks], [disk.count for _, disk in disks],
        )  # fmt: skip
    async with database.snapshot() as tx:
        await tx.execute("VACUUM ANALYZE server, disk, rack")


async def _places(tx: Tx, servers: Sequence[ServerFacts]) -> None:
    racks = {server.rack or "": server.datacentre for server in servers}
    codes = sorted({*racks.values()})
    await tx.execute(
        "INSERT INTO datacentre (id, code, name) SELECT id, code, code FROM "
        "unnest($1::uuid[], $2::text[]) AS d (id, code) ON CONFLICT (code) DO NOTHING",
        [new_id() for _ in codes], codes,
    )  # fmt: skip
    await tx.execute(
        "INSERT INTO rack (id, datacentre, name, feed_a_watts, feed_b_watts, cooling_watts) "
        "SELECT f.id, d.id, f.name, $4, $4, $4 FROM unnest($1::uuid[], $2::text[], $3::text[]) "
        "AS f (id, code, name) JOIN datacentre d ON d.code = f.code",
        [new_id() for _ in racks], [*racks.values()], [*racks], FEED_WATTS,
    )  # fmt: skip
