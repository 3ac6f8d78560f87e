"""An OpenStack Placement to be measured: gunicorn with two processes, its tables beside ours."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from itertools import chain
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import UUID

import asyncpg
import httpx
import msgspec

from app.cli.demo.processes import Processes, free_port
from app.resources import Servers
from app.solver.inventory import ServerFacts
from app.solver.want import DiskKind
from benchmarks.environment import placement_python, told
from benchmarks.report import say

DATABASE = "placement"
PROCESSES = 2
HEADERS = {
    "X-Auth-Token": "admin",
    "Accept": "application/json",
    "OpenStack-API-Version": "placement 1.39",
}
PREPARE_S = 120.0
START_S = 60.0
# As its documentation has it; tokens are looked at without asking a Keystone, which costs it less.
SETTINGS = """[api]
auth_strategy = noauth2
[placement_database]
connection = postgresql+psycopg2://{user}@/{database}?host={host}
[DEFAULT]
log_options = false
default_log_levels = placement=WARNING
"""
CLASSES = ("VCPU", "MEMORY_MB", "DISK_GB", "CUSTOM_NVME_DISK", "CUSTOM_SWITCH_PORT")
FEEDS = "CUSTOM_FEEDS_A_AND_B"


class Placement(msgspec.Struct, frozen=True):
    """Where it answers, and the address of its database."""

    url: str
    dsn: str


@contextlib.asynccontextmanager
async def running(servers: Servers, folder: Path) -> AsyncIterator[Placement]:
    """Make its tables and serve for the block. Raises PeerMissing, PeerFailed, DemoFailed."""
    python = await placement_python()
    folder.mkdir(parents=True)
    dsn = await _database(servers, folder)
    environment = {"OS_PLACEMENT_CONFIG_DIR": str(folder)}
    manage = str(python.parent / "placement-manage")
    say("Preparing Placement's tables…")
    await told((manage, "--config-file", str(folder / "placement.conf"), "db", "sync"), PREPARE_S)
    port = free_port()
    processes = Processes(folder / "logs")
    try:
        child = await processes.start("placement", [
            str(python.parent / "gunicorn"), "--workers", str(PROCESSES), "--threads", "4",
            "--keep-alive", "75", "--bind", f"127.0.0.1:{port}", "placement.wsgi.api:application",
        ], environment)  # fmt: skip
        url = f"http://127.0.0.1:{port}"
        await processes.until_ready(child, url, timeout_s=START_S)
        yield Placement(url, dsn)
    finally:
        await processes.stop()


async def add(peer: Placement, servers: Sequence[ServerFacts]) -> None:
    """Write these down as resource providers, each with five resources and its traits."""
    named = {server.id: traits_of(server) for server in servers}
    customs = [name for name in CLASSES if name.startswith("CUSTOM_")]
    await _name(peer.url, [f"/resource_classes/{name}" for name in customs])
    await _name(peer.url, [f"/traits/{name}" for name in {*chain(*named.values())}])
    connection = await asyncpg.connect(peer.dsn)
    try:
        async with connection.transaction():
            classes = await _ids(connection, "resource_classes")
            traits = await _ids(connection, "traits")
            rows = await connection.fetch(
                "INSERT INTO resource_providers (uuid, name, generation, created_at) "
                "SELECT *, 1, now() FROM unnest($1::text[], $2::text[]) RETURNING id, uuid",
                [str(server.id) for server in servers], [server.name for server in servers],
            )  # fmt: skip
            await connection.execute("UPDATE resource_providers SET root_provider_id = id")
            provider = {UUID(row["uuid"]): row["id"] for row in rows}
            await connection.copy_records_to_table(
                "inventories",
                columns=["resource_provider_id", "resource_class_id", "total", "reserved",
                         "min_unit", "max_unit", "step_size", "allocation_ratio"],
                records=[
                    (provider[server.id], classes[name], total, 0, 1, total, 1, 1.0)
                    for server in servers for name, total in resources_of(server).items() if total
                ],
            )  # fmt: skip
            await connection.copy_records_to_table(
                "resource_provider_traits", columns=["resource_provider_id", "trait_id"],
                records=[(provider[key], traits[t]) for key, one in named.items() for t in one],
            )  # fmt: skip
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


def resources_of(server: ServerFacts) -> dict[str, int]:
    """Return what a server has of each of the five; flash is that of its NVMe disks alone."""
    nvme = [disk for disk in server.disks if disk.kind is DiskKind.nvme]
    return {
        "VCPU": server.cores,
        "MEMORY_MB": server.ram_gb * 1024,
        "DISK_GB": sum(disk.capacity_gb * disk.count for disk in nvme),
        "CUSTOM_NVME_DISK": sum(disk.count for disk in nvme),
        "CUSTOM_SWITCH_PORT": server.ports,
    }


def traits_of(server: ServerFacts) -> list[str]:
    """Return where it is, what it is, and what is in it."""
    kinds = {disk.kind for disk in server.disks}
    return [
        FEEDS,
        place_trait(server.datacentre),
        model_trait(server.cpu_model),
        *(f"CUSTOM_DISK_{kind.upper()}" for kind in sorted(kinds)),
        *(["CUSTOM_RAID_CONTROLLER"] if server.raid_controller else []),
    ]


def place_trait(datacentre: str) -> str:
    return f"CUSTOM_DC_{datacentre.upper()}"


def model_trait(model: str) -> str:
    return "CUSTOM_CPU_" + "".join(each if each.isalnum() else "_" for each in model.upper())


def candidates(resources: dict[str, int], traits: Sequence[str], most: int | None) -> str:
    """Return the path that asks for at most so many servers, or for all."""
    query = {
        "resources": ",".join(f"{name}:{number}" for name, number in resources.items()),
        "required": ",".join(traits),
    }
    limit = {} if most is None else {"limit": str(most)}
    return f"/allocation_candidates?{urlencode(query | limit, safe=',:')}"


async def _database(servers: Servers, folder: Path) -> str:
    """Make its database on our server; write its settings and return the database's address."""
    connection = await asyncpg.connect(servers.database_url)
    try:
        await connection.execute(f"CREATE DATABASE {DATABASE}")
    finally:
        await connection.close()
    parts = urlsplit(servers.database_url)
    host = parse_qs(parts.query).get("host", [parts.hostname or ""])[0]
    user = parts.username or "postgres"
    settings = SETTINGS.format(user=user, database=DATABASE, host=host)
    (folder / "placement.conf").write_text(settings)
    return f"postgresql://{user}@/{DATABASE}?{urlencode({'host': host})}"


async def _name(url: str, names: Sequence[str]) -> None:
    """Have Placement itself make resource classes and traits: it numbers them as it likes."""
    async with httpx.AsyncClient(base_url=url, headers=HEADERS) as client:
        for name in names:
            (await client.put(name)).raise_for_status()


async def _ids(connection: asyncpg.Connection, table: str) -> dict[str, int]:
    rows = await connection.fetch(f"SELECT id, name FROM {table}")
    return {row["name"]: row["id"] for row in rows}
