"""A database with address space in it, and means to fill it."""

import asyncio
import contextlib
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path
from uuid import UUID

from app.core.database import Database
from app.core.embedded.postgres import EmbeddedPostgres
from app.core.ids import new_id
from app.core.migrate import migrate
from app.domain.addresses.claim import claim
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed, VlanGroupSeed
from app.ipam.choice import Strategy
from app.ipam.wants import AddressRules, AddressWant, wants_of

DATACENTRE = "ams1"
ONE = wants_of(AddressRules(ipv6_length=None, vlan=False))
ORDER = wants_of(AddressRules(), 4)
"""Five IPv4 addresses, a /64 and a VLAN id: seven rows."""

CONNECTIONS = 32
GROUPS = 8
_ODD = 7_919
"""Coprime to every power of two: its multiples fill a prefix in no order."""


@contextlib.asynccontextmanager
async def ground() -> AsyncIterator[tuple[Database, str]]:
    """Yield an open database of Slipway's, with a datacentre in it, and its address."""
    with tempfile.TemporaryDirectory(prefix="slipway-bench-", ignore_cleanup_errors=True) as folder:
        server = EmbeddedPostgres(Path(folder))
        database = Database()
        try:
            await migrate(server.dsn)
            await database.open(server.dsn, min_size=2, max_size=CONNECTIONS + 2)
            async with database.transaction() as tx:
                await tx.execute(
                    "INSERT INTO datacentre (id, code, name) VALUES ($1, $2, 'Amsterdam')",
                    new_id(),
                    DATACENTRE,
                )
            yield database, server.dsn
        finally:
            await database.close()
            server.stop()


async def lay_out(
    database: Database, network: str, *, strategy: Strategy = Strategy.random, whole: bool = False
) -> UUID:
    """Make this the only IPv4 prefix; `whole` adds an IPv6 /32 and VLAN groups. Return its id."""
    prefixes = [PrefixSeed(network=network, datacentre=DATACENTRE, strategy=strategy)]
    groups: list[VlanGroupSeed] = []
    if whole:
        prefixes.append(
            PrefixSeed(network="2001:db8::/32", datacentre=DATACENTRE, strategy=strategy)
        )
        groups = [
            VlanGroupSeed(name=f"g{n}", datacentre=DATACENTRE, first_vid=1, last_vid=4_094)
            for n in range(GROUPS)
        ]
    async with database.transaction() as tx:
        await tx.execute("TRUNCATE address_claim, prefix, vlan_group, outbox CASCADE")
        ids = await register_addresses(
            tx, AddressSeed(prefixes=tuple(prefixes), vlan_groups=tuple(groups))
        )
    return ids[network]


async def fill(database: Database, prefix: UUID, size: int, claims: int) -> None:
    """Claim so many of the prefix's addresses, scattered over all of it, without a history."""
    async with database.transaction() as tx:
        await tx.execute("SET LOCAL session_replication_role = replica")
        await tx.execute(
            "INSERT INTO address_claim (kind, scope, position, state, holder, item, seq, "
            "claimed_at) SELECT 'ip4', $1, n * $4 % $3, 'assigned', gen_random_uuid(), "
            "'ip4:primary', 1, now() FROM generate_series(1, $2::bigint) AS n "
            "ON CONFLICT DO NOTHING",
            prefix,
            claims,
            size,
            _ODD,
        )
    async with database.snapshot() as tx:
        await tx.execute("VACUUM ANALYZE address_claim")


async def claim_for(database: Database, wants: Sequence[AddressWant]) -> UUID:
    """Claim for an order in a transaction of its own, as checkout does; return the order."""
    holder = new_id()
    async with database.transaction() as tx:
        await claim(tx, wants, holder=holder, datacentre=DATACENTRE, rack=None, expires_at=None)
    return holder


async def rate(work: Callable[[], Awaitable[object]], times: int, at_once: int) -> float:
    """Return how many a second are done by so many callers, each of whom waits for its answer."""
    left = iter(range(times))

    async def caller() -> None:
        for _ in left:
            await work()

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(at_once)))
    return times / (time.perf_counter() - began)
