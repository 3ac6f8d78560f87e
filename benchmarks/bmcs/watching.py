"""The same BMCs asked as a worker asks them: what is due, with turns for all workers, written down.

PostgreSQL and Redis are the embedded ones, the watch is the worker's own (`PowerWatch`).
"""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from app.adapters import make_fleet
from app.core.database import Database
from app.core.migrate import migrate
from app.domain.inventory.power import DOORBELL
from app.domain.inventory.register import register_inventory
from app.domain.inventory.seed import (
    BmcSeed,
    CpuSeed,
    DatacentreSeed,
    InventorySeed,
    RackSeed,
    ServerSeed,
)
from app.drivers.bmc.contract import BmcAddress
from app.drivers.tls import TrustCa
from app.jobs.watch_power import PowerWatch
from app.resources import open_resources, start_servers
from app.settings import Settings
from benchmarks.bmcs.beat import beating

RACK_U = 40
LOOK_S = 0.05
LIMIT_S = 120.0

_DUE = "UPDATE bmc SET read_due_at = $1, silent_since = NULL, silence = ''"
_TOLD = """
SELECT b.silent_since IS NOT NULL AS is_silent,
    coalesce(b.silent_since, CASE WHEN s.power_seen_at >= $1 THEN s.power_seen_at END) AS told_at
FROM bmc b JOIN server s ON s.id = b.server ORDER BY s.name
"""


class Watched(msgspec.Struct, frozen=True):
    """Everyone asked once, in the order of the addresses; lags in seconds."""

    told_s: list[float]
    """From when all were due until each one's answer, or silence, was written down."""
    silent: list[bool]
    lags_s: list[float]

    @property
    def wall_s(self) -> float:
        return max(self.told_s)


@dataclass(frozen=True)
class Watch:
    """A worker's watch at work."""

    database: Database

    async def ask_all(self) -> Watched:
        """Let every BMC be due at once, none known as silent; return when each was told of."""
        async with beating() as lags:
            async with self.database.transaction() as tx:
                began = tx.now()
                await tx.execute(_DUE, began)
                tx.publish(DOORBELL)
            deadline = time.monotonic() + LIMIT_S
            while time.monotonic() < deadline:
                async with self.database.snapshot() as tx:
                    rows: Sequence[Any] = await tx.fetch(_TOLD, began)
                if all(row["told_at"] for row in rows):
                    break
                await asyncio.sleep(LOOK_S)
            else:
                raise RuntimeError(f"a BMC was not asked within {LIMIT_S:.0f} s")
        told_s = [(row["told_at"] - began).total_seconds() for row in rows]
        return Watched(told_s, [row["is_silent"] for row in rows], lags)


@contextlib.asynccontextmanager
async def watching(addresses: Sequence[BmcAddress]) -> AsyncIterator[Watch]:
    """Run one worker's watch over servers in use with these BMCs until the block ends."""
    with tempfile.TemporaryDirectory(prefix="slipway-watch-", ignore_cleanup_errors=True) as folder:
        settings = Settings(_env_file=None, data_dir=Path(folder), database_url="", redis_url="")
        servers = start_servers(settings)
        try:
            await migrate(servers.database_url)
            async with open_resources(settings, servers) as resources:
                database, vault = resources.database, resources.vault
                async with database.transaction() as tx:
                    await register_inventory(tx, vault, _in_use(addresses))
                    await tx.execute(
                        "UPDATE server SET state = 'active', holder = gen_random_uuid()"
                    )
                fleet = make_fleet(database, vault)
                watch = PowerWatch(database, resources.live, vault, fleet)
                running = asyncio.create_task(watch.run(), name="power-watch")
                try:
                    yield Watch(database)
                finally:
                    running.cancel()
                    await asyncio.gather(running, return_exceptions=True)
                    await fleet.close()
        finally:
            servers.stop()


def _in_use(addresses: Sequence[BmcAddress]) -> InventorySeed:
    """Return a server for each BMC, named so that their order is that of the addresses."""
    racks = [f"r{number}" for number in range(-(-len(addresses) // RACK_U))]
    return InventorySeed(
        datacentres=(DatacentreSeed(code="ams1", name="Amsterdam"),),
        racks=tuple(RackSeed(datacentre="ams1", name=name) for name in racks),
        cpu_models=(CpuSeed(name="any", cores=8, threads=16, base_mhz=3_000),),
        servers=tuple(
            ServerSeed(
                name=f"s{number:04d}",
                serial=f"S{number:04d}",
                datacentre="ams1",
                rack=racks[number // RACK_U],
                u_position=number % RACK_U + 1,
                cpu_model="any",
                ram_gb=64,
                mac=f"02:00:00:00:{number >> 8:02x}:{number & 255:02x}",
                bmc=_bmc(address),
            )
            for number, address in enumerate(addresses)
        ),
    )


def _bmc(address: BmcAddress) -> BmcSeed:
    return BmcSeed(
        url=address.url,
        username=address.username,
        password=address.password.reveal(),
        system_path=address.system_path or "",
        ca_pem=address.tls.pem if isinstance(address.tls, TrustCa) else "",
        protocol=address.protocol,
    )
