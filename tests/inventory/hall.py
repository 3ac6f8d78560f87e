"""A hall of machines to take from, and an order for the tests that need one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import Vault, new_key
from app.domain.inventory.register import register_inventory
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
from app.solver.want import DiskKind

BMC = BmcSeed(url="https://10.9.0.1", username="root", password="calvin", system_path="/redfish/v1")


def machine(number: int, **facts: Any) -> ServerSeed:
    """Return machine `number` of rack R1 in ams1: 8 cores, 64 GB, two NVMe disks."""
    seed = ServerSeed(
        name=f"m{number:03d}",
        serial=f"S{number:05d}",
        datacentre="ams1",
        rack="R1",
        u_position=number,
        cpu_model="Xeon",
        ram_gb=64,
        mac=f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
        disks=(DiskSeed(kind=DiskKind.nvme, capacity_gb=960, quantity=2),),
        bmc=BMC,
    )
    return replace(seed, **facts)


def hall(machines: Sequence[ServerSeed] = ()) -> InventorySeed:
    return InventorySeed(
        datacentres=(
            DatacentreSeed(code="ams1", name="Amsterdam 1", city="Amsterdam", country="NL"),
            DatacentreSeed(code="fra1", name="Frankfurt 1"),
        ),
        racks=(
            RackSeed(datacentre="ams1", name="R1", u_height=1000, power_budget_watts=4000),
            RackSeed(datacentre="ams1", name="R2", u_height=1000),
            RackSeed(datacentre="fra1", name="R1", u_height=1000),
        ),
        cpu_models=(
            CpuSeed(name="Xeon", cores=8, threads=16, base_mhz=3200),
            CpuSeed(name="Epyc", cores=24, threads=48),
        ),
        equivalences=(EquivalenceSeed(group="eight", wanted="Xeon", stand_in="Epyc", cost=3),),
        servers=tuple(machines),
    )


async def furnish(tx: Tx, *machines: ServerSeed, vault: Vault | None = None) -> dict[str, UUID]:
    """Write the hall with these machines down; return their ids by name."""
    return await register_inventory(tx, vault or Vault([new_key()]), hall(machines))


async def an_order(tx: Tx) -> UUID:
    """Return the id of an order of some client for some product, with a service."""
    account, category, product, order = new_id(), new_id(), new_id(), new_id()
    await tx.execute(
        "INSERT INTO account (id, email, name, password_hash, role, created_at) "
        "VALUES ($1, $2, 'Client', '', 'client', $3)",
        account,
        f"{account}@example.test",
        tx.now(),
    )
    await tx.execute(
        "INSERT INTO category (id, slug, name) VALUES ($1, $2, 'Servers')", category, str(category)
    )
    await tx.execute(
        "INSERT INTO product (id, category, slug, name, created_at) VALUES ($1, $2, $3, 'S', $4)",
        product,
        category,
        str(product),
        tx.now(),
    )
    await tx.execute(
        "INSERT INTO client_order (id, account, product, state, state_since, hostname, currency, "
        "cycle, idempotency_key, placed_at) "
        "VALUES ($1, $2, $3, 'provisioning', $4, 'web.example.test', 'EUR', 'monthly', $5, $4)",
        order,
        account,
        product,
        tx.now(),
        str(order),
    )
    await tx.execute(
        'INSERT INTO service (id, account, "order", product, hostname, state, state_since, cycle, '
        "currency, created_at) VALUES ($1, $2, $3, $4, 'web.example.test', 'provisioning', $5, "
        "'monthly', 'EUR', $5)",
        new_id(),
        account,
        order,
        product,
        tx.now(),
    )
    return order


async def begin_installation(tx: Tx, order: UUID, server: UUID) -> None:
    """Write an installation of the order's service on the server down."""
    installation = new_id()
    await tx.execute(
        "INSERT INTO installation (id, service, server, step_key, token_hash, sealed_spec, state, "
        "created_at, updated_at) SELECT $1, s.id, $2, $3, $4, '', 'booted', $5, $5 "
        'FROM service s WHERE s."order" = $6',
        installation,
        server,
        str(installation),
        installation.bytes,
        tx.now(),
        order,
    )
