"""Write hardware down: from a seed at set-up, from a form later.

Idempotent by natural key (a datacentre's code, a rack's name in it, a CPU's name, a server's
serial number): what is known is brought up to date. What is not named stays as it is.
"""

from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.inventory.seed import (
    BmcSeed,
    CpuSeed,
    DatacentreSeed,
    DiskSeed,
    EquivalenceSeed,
    InventorySeed,
    RackSeed,
    ServerSeed,
)
from app.domain.inventory.states import ServerState, move, tell


async def register_inventory(tx: Tx, vault: Vault, seed: InventorySeed) -> dict[str, UUID]:
    """Write the whole seed; return each server's id by its name. Raises Invalid.

    Cost: some six statements a server.
    """
    for datacentre in seed.datacentres:
        await register_datacentre(tx, datacentre)
    for rack in seed.racks:
        await register_rack(tx, rack)
    for cpu in seed.cpu_models:
        await register_cpu(tx, cpu)
    for link in seed.equivalences:
        await register_equivalence(tx, link)
    return {server.name: await register_server(tx, vault, server) for server in seed.servers}


async def register_datacentre(tx: Tx, datacentre: DatacentreSeed) -> UUID:
    written: UUID = await tx.fetchval(
        "INSERT INTO datacentre (id, code, name, city, country) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (code) DO UPDATE SET name = excluded.name, city = excluded.city, "
        "country = excluded.country RETURNING id",
        new_id(),
        datacentre.code,
        datacentre.name,
        datacentre.city,
        datacentre.country,
    )
    return written


async def register_rack(tx: Tx, rack: RackSeed) -> UUID:
    datacentre = await tx.fetchval("SELECT id FROM datacentre WHERE code = $1", rack.datacentre)
    if datacentre is None:
        raise Invalid({"datacentre": f"There is no datacentre {rack.datacentre}."})
    written: UUID = await tx.fetchval(
        "INSERT INTO rack (id, datacentre, name, u_height, power_budget_watts) "
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (datacentre, name) DO UPDATE SET "
        "u_height = excluded.u_height, power_budget_watts = excluded.power_budget_watts "
        "RETURNING id",
        new_id(),
        datacentre,
        rack.name,
        rack.u_height,
        rack.power_budget_watts,
    )
    return written


async def register_cpu(tx: Tx, cpu: CpuSeed) -> UUID:
    written: UUID = await tx.fetchval(
        "INSERT INTO cpu_model (id, name, cores, threads, base_mhz) VALUES ($1, $2, $3, $4, $5) "
        "ON CONFLICT (name) DO UPDATE SET cores = excluded.cores, threads = excluded.threads, "
        "base_mhz = excluded.base_mhz RETURNING id",
        new_id(),
        cpu.name,
        cpu.cores,
        cpu.threads,
        cpu.base_mhz,
    )
    return written


async def register_equivalence(tx: Tx, link: EquivalenceSeed) -> None:
    wanted, stand_in = await _cpu(tx, link.wanted), await _cpu(tx, link.stand_in)
    if wanted == stand_in:
        raise Invalid({"stand_in": "A model stands in for itself anyway; name another one."})
    await tx.execute(
        'INSERT INTO cpu_equivalence (id, "group", wanted, stand_in, cost) '
        "VALUES ($1, $2, $3, $4, $5) ON CONFLICT (wanted, stand_in) DO UPDATE SET "
        '"group" = excluded."group", cost = excluded.cost',
        new_id(),
        link.group,
        wanted,
        stand_in,
        link.cost,
    )


async def register_server(tx: Tx, vault: Vault, server: ServerSeed) -> UUID:
    """Return the server's id; one that is known keeps its state, holder and power.

    A new one is in stock at once unless the seed says otherwise. Raises Invalid, by field.
    """
    rack = await _place(tx, server)
    cpu = await _cpu(tx, server.cpu_model)
    try:
        async with tx.savepoint():
            written = await tx.fetchrow(
                "INSERT INTO server (id, serial, name, rack, u_position, u_height, cpu_model, "
                "cpu_count, ram_gb, raid_controller, power_draw_watts, mac, state, state_since) "
                "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'enrolled', $13) "
                "ON CONFLICT (serial) DO UPDATE SET name = excluded.name, rack = excluded.rack, "
                "u_position = excluded.u_position, u_height = excluded.u_height, "
                "cpu_model = excluded.cpu_model, cpu_count = excluded.cpu_count, "
                "ram_gb = excluded.ram_gb, raid_controller = excluded.raid_controller, "
                "power_draw_watts = excluded.power_draw_watts, mac = excluded.mac "
                "RETURNING id, holder, xmax = 0 AS is_new",
                new_id(),
                server.serial,
                server.name,
                rack,
                server.u_position,
                server.u_height,
                cpu,
                server.cpu_count,
                server.ram_gb,
                server.raid_controller,
                server.power_draw_watts,
                server.mac,
                tx.now(),
            )
    except asyncpg.UniqueViolationError as error:
        fault = _UNIQUE.get(error.constraint_name or "", ("serial", "It is there already."))
        raise Invalid(dict([fault])) from error
    assert written is not None  # noqa: S101 - an upsert without a condition returns its row
    await _disks(tx, written["id"], server.disks)
    if server.bmc is not None:
        await register_bmc(tx, vault, written["id"], server.bmc)
    if written["is_new"] and server.in_stock:
        await move(tx, written["id"], ServerState.available)
    tell(tx, written["id"], written["holder"])
    return written["id"]  # type: ignore[no-any-return]  # asyncpg's records are untyped


_UNIQUE = {
    "server_name_key": ("name", "Another server has this name."),
    "server_mac_key": ("mac", "Another server has this network card."),
    "server_u_once": ("u_position", "Another server stands there."),
}


async def register_bmc(tx: Tx, vault: Vault, server: UUID, bmc: BmcSeed) -> None:
    """Write down how the server's BMC is reached, in place of what was known."""
    await tx.execute(
        "INSERT INTO bmc (id, server, protocol, url, username, sealed_password, system_path, "
        "tls_mode, ca_pem, boot_method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (server) DO UPDATE SET protocol = excluded.protocol, url = excluded.url, "
        "username = excluded.username, sealed_password = excluded.sealed_password, "
        "system_path = excluded.system_path, tls_mode = excluded.tls_mode, "
        "ca_pem = excluded.ca_pem, boot_method = excluded.boot_method",
        new_id(),
        server,
        bmc.protocol,
        bmc.url.rstrip("/"),
        bmc.username,
        vault.seal(bmc.password),
        bmc.system_path,
        bmc.tls_mode,
        bmc.ca_pem,
        bmc.boot_method,
    )


async def _place(tx: Tx, server: ServerSeed) -> UUID:
    """Return the rack's id if the units that the server fills are there and free."""
    rack = await tx.fetchrow(
        "SELECT r.id, r.u_height FROM rack r JOIN datacentre d ON d.id = r.datacentre "
        "WHERE d.code = $1 AND r.name = $2 FOR NO KEY UPDATE OF r",
        server.datacentre,
        server.rack,
    )
    if rack is None:
        raise Invalid({"rack": f"There is no rack {server.rack} in {server.datacentre}."})
    top = server.u_position + server.u_height - 1
    if top > rack["u_height"]:
        raise Invalid({"u_position": f"Rack {server.rack} ends at unit {rack['u_height']}."})
    other = await tx.fetchval(
        "SELECT name FROM server WHERE rack = $1 AND serial <> $2 "
        "AND u_position <= $3 AND u_position + u_height > $4 LIMIT 1",
        rack["id"],
        server.serial,
        top,
        server.u_position,
    )
    if other is not None:
        raise Invalid({"u_position": f"Server {other} stands there."})
    return rack["id"]  # type: ignore[no-any-return]  # asyncpg's records are untyped


async def _cpu(tx: Tx, name: str) -> UUID:
    cpu: UUID | None = await tx.fetchval("SELECT id FROM cpu_model WHERE name = $1", name)
    if cpu is None:
        raise Invalid({"cpu_model": f"There is no CPU model {name}. Write it down first."})
    return cpu


async def _disks(tx: Tx, server: UUID, disks: tuple[DiskSeed, ...]) -> None:
    await tx.execute("DELETE FROM disk WHERE server = $1", server)
    await tx.executemany(
        "INSERT INTO disk (id, server, kind, capacity_gb, quantity) VALUES ($1, $2, $3, $4, $5)",
        [(new_id(), server, disk.kind, disk.capacity_gb, disk.quantity) for disk in disks],
    )
