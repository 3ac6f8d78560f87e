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
from app.domain.inventory.burn_in import is_due, open_burn_in
from app.domain.inventory.disks import write_disks
from app.domain.inventory.register_cables import (
    register_cable,
    register_device,
    register_ports,
)
from app.domain.inventory.register_rack import register_rack
from app.domain.inventory.seed import (
    BmcSeed,
    CpuSeed,
    DatacentreSeed,
    EquivalenceSeed,
    InventorySeed,
    ServerSeed,
    boot_fault,
)
from app.domain.inventory.states import ServerState, move, offer_anew, tell
from app.domain.inventory.units import fault_of, rack_of, require_units


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
    servers = {server.name: await register_server(tx, vault, server) for server in seed.servers}
    for device in seed.devices:
        await register_device(tx, device)
    for cable in seed.cables:
        await register_cable(tx, cable)
    return servers


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
    wanted = await _cpu(tx, link.wanted, field="wanted")
    stand_in = await _cpu(tx, link.stand_in, field="stand_in")
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


async def register_server(
    tx: Tx, vault: Vault, server: ServerSeed, *, burn_in_minutes: int = 0
) -> UUID:
    """Return the server's id; one that is known keeps its state, holder and power.

    A new one is in stock at once unless the seed says otherwise; with `burn_in_minutes` it is
    burned in first. Raises Invalid, by field.
    """
    known = await tx.fetchval("SELECT id FROM server WHERE serial = $1", server.serial)
    rack = await rack_of(tx, server.datacentre, server.rack)
    await require_units(
        tx, rack, server.u_position, server.u_height, server.side, besides=[known] if known else []
    )
    facts = {
        "name": server.name,
        "model": server.model,
        "rack": rack,
        "u_position": server.u_position,
        "u_height": server.u_height,
        "side": server.side,
        "cpu_model": await _cpu(tx, server.cpu_model),
        "cpu_count": server.cpu_count,
        "ram_gb": server.ram_gb,
        "raid_controller": server.raid_controller,
        "raid_model": server.raid_model,
        "power_draw_watts": server.power_draw_watts,
        "feeds": server.feeds,
        "weight_kg": server.weight_kg,
        "mac": server.mac,
        "warranty_ends_on": server.warranty_ends_on,
        "note": server.note,
    }
    values = ", ".join(f"${place}" for place in range(4, 4 + len(facts)))
    changes = ", ".join(f"{name} = excluded.{name}" for name in facts)
    try:
        async with tx.savepoint():
            written = await tx.fetchrow(
                f"INSERT INTO server (id, serial, state_since, state, {', '.join(facts)}) "
                f"VALUES ($1, $2, $3, 'enrolled', {values}) "
                f"ON CONFLICT (serial) DO UPDATE SET {changes} "
                "RETURNING id, holder, xmax = 0 AS is_new",
                new_id(),
                server.serial,
                tx.now(),
                *facts.values(),
            )
    except asyncpg.IntegrityConstraintViolationError as error:
        raise fault_of(error) from error
    assert written is not None  # noqa: S101 - an upsert without a condition returns its row
    await write_disks(tx, written["id"], server.disks)
    await register_ports(tx, server.ports, server=written["id"])
    if server.bmc is not None:
        await register_bmc(tx, vault, written["id"], server.bmc)
    if written["is_new"] and server.in_stock:
        if burn_in_minutes and await is_due(tx, written["id"]):
            await open_burn_in(
                tx,
                written["id"],
                minutes=burn_in_minutes,
                actor=None,
                actor_label="system",
                reason="",
            )
        else:
            await move(tx, written["id"], ServerState.available)
    if not written["is_new"]:
        await offer_anew(tx, written["id"])
    tell(tx, written["id"], written["holder"])
    return written["id"]  # type: ignore[no-any-return]  # asyncpg's records are untyped


async def register_bmc(tx: Tx, vault: Vault, server: UUID, bmc: BmcSeed) -> None:
    """Write down how the server's BMC is reached, in place of what was known. Raises Invalid."""
    if words := boot_fault(bmc.protocol, bmc.boot_method):
        raise Invalid({"boot_method": words})
    await tx.execute(
        "INSERT INTO bmc (id, server, protocol, url, username, sealed_password, system_path, "
        "tls_mode, ca_pem, boot_method) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) "
        "ON CONFLICT (server) DO UPDATE SET protocol = excluded.protocol, url = excluded.url, "
        "username = excluded.username, sealed_password = excluded.sealed_password, "
        "system_path = excluded.system_path, tls_mode = excluded.tls_mode, "
        "ca_pem = excluded.ca_pem, boot_method = excluded.boot_method, "
        # It may be another one now: it is asked anew what it is.
        "vendor = '', serial = 'unknown', access_due_at = 'epoch'",
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


async def _cpu(tx: Tx, name: str, *, field: str = "cpu_model") -> UUID:
    cpu: UUID | None = await tx.fetchval("SELECT id FROM cpu_model WHERE name = $1", name)
    if cpu is None:
        raise Invalid({field: f"There is no CPU model {name}. Write it down first."})
    return cpu
