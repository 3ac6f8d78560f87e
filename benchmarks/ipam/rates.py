"""Claims a second at the desk against bare inserts; orders a second by one process and by two."""

import asyncio
import itertools
import os
import sys
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import asyncpg

from app.core.database import Database
from app.core.ids import new_id
from app.domain.addresses.by_hand import HandClaim
from app.domain.addresses.desk import ClaimDesk
from app.domain.addresses.next_free import NextAsk
from app.domain.addresses.register import register_addresses
from app.domain.addresses.seed import AddressSeed, PrefixSeed
from benchmarks import plot, usage
from benchmarks.ipam.ground import (
    CONNECTIONS,
    DATACENTRE,
    ONE,
    ORDER,
    claim_for,
    ground,
    lay_out,
    rate,
)
from benchmarks.report import say, table
from benchmarks.result import Result

CLAIMS = 8_000
ORDERS = 4_000
ROUNDS = 3
FLOOR_TIMES = 1.5
ORDERS_GOAL = 1_000.0
PAIR_GOAL = 1.2
FEW, MANY = 2, CONNECTIONS
AT_ONCE = (1, FEW, MANY)
"""Orders that a process has under way. With one it waits for half of the time, and with many it and
PostgreSQL fill two cores nearly: what a second process adds is seen between these."""


class Reached(NamedTuple):
    """Orders a second of all processes, and the cores that each part kept busy."""

    per_s: float
    cores: dict[str, float]


_BARE_TABLE = (
    "CREATE TABLE bare_claim (kind text, scope uuid, position bigint, holder uuid, "
    "UNIQUE (kind, scope, position))"
)
_BARE = "INSERT INTO bare_claim VALUES ('ip4', $1, $2, $3)"
_LIKE_TABLE = "CREATE TABLE like_claim (LIKE address_claim INCLUDING ALL)"
_FLOORS = PrefixSeed(network="11.0.0.0/8", datacentre=DATACENTRE, auto_allocatable=False)
_ROW = (
    "INSERT INTO {} (kind, scope, position, state, holder, item, seq, claimed_at) "
    "VALUES ('ip4', $1, $2, 'held', $3, 'ip4:primary', 1, now())"
)


async def measure(size: float) -> list[Result]:
    """Return claims and orders of one process, and orders of two."""
    async with ground() as (database, dsn):
        return [
            await _claims(database, dsn, max(200, round(CLAIMS * size))),
            *await _orders(database, dsn, max(200, round(ORDERS * size))),
        ]


async def _claims(database: Database, dsn: str, times: int) -> Result:
    """One address a caller. The floors are inserts of what is known to be free, each committed."""
    prefix = await lay_out(database, "10.0.0.0/8")
    async with database.transaction() as tx:
        await tx.execute(_BARE_TABLE)
        await tx.execute(_LIKE_TABLE)
        floors = await register_addresses(tx, AddressSeed(prefixes=(_FLOORS,)))
    # What the floors insert is of a prefix that the desk and the orders take nothing of.
    desk, numbers, [floor_prefix] = ClaimDesk(database), itertools.count(1), floors.values()
    next_one = NextAsk(
        prefix=prefix, claims=[HandClaim(reason="benchmark")], actor=None, actor_label="benchmark"
    )

    async def insert(sql: str, pool: asyncpg.Pool) -> None:
        async with pool.acquire() as connection:
            await connection.execute(sql, floor_prefix, next(numbers), new_id())

    async with asyncpg.create_pool(dsn, min_size=CONNECTIONS, max_size=CONNECTIONS) as bare:
        ways = {
            "at the desk": (lambda: desk.claim(next_one), CONNECTIONS, 1.0),
            "at the desk, 256 callers": (lambda: desk.claim(next_one), 256, 1.0),
            "at the desk, alone": (lambda: desk.claim(next_one), 1, 0.1),
            "of an order, in a transaction each": (
                lambda: claim_for(database, ONE),
                CONNECTIONS,
                0.2,
            ),
            "of an order, alone": (lambda: claim_for(database, ONE), 1, 0.1),
            "bare insert": (lambda: insert(_ROW.format("like_claim"), bare), CONNECTIONS, 1.0),
            "bare insert, with its history": (
                lambda: insert(_ROW.format("address_claim"), bare),
                CONNECTIONS,
                1.0,
            ),
            "bare insert, one key": (lambda: insert(_BARE, bare), CONNECTIONS, 1.0),
            "bare insert, connections not reset": (
                lambda: insert(_ROW.format("like_claim"), database.pool),
                CONNECTIONS,
                1.0,
            ),
        }
        best = dict.fromkeys(ways, 0.0)
        for _ in range(ROUNDS):  # in turn, so that a busy moment is everybody's
            for name, (work, callers, share) in ways.items():
                best[name] = max(best[name], await rate(work, round(times * share), callers))
    await desk.close()
    say(table(("claims", "a second"), [(name, f"{each:.0f}") for name, each in best.items()]))
    floor = best["bare insert"]
    return Result(
        name="ipam-claims", ours=best["at the desk"], peer=floor, goal=FLOOR_TIMES * floor,
        unit="/s", at_least=True, details={"per_s": best},
        plots={"ipam-claims": plot.bars(
            "Claims of one IPv4 address", list(best.items()), "a second",
            goal=FLOOR_TIMES * floor,
        )},
        says=f"claims of the next free address by {CONNECTIONS} callers of one process at the "
        f"desk, with their history and the audit trail, best of {ROUNDS}; peer: bare inserts of a "
        "claim's row, known to be free, into a table with the same columns and keys, by a pool of "
        "asyncpg's with as many connections (not reset in between: "
        f"{best['bare insert, connections not reset']:.0f}/s)",
    )  # fmt: skip


async def _orders(database: Database, dsn: str, times: int) -> list[Result]:
    """Orders by one process and by two, by how many each of them has under way at a time."""
    async with database.snapshot() as tx:
        postgres = usage.postmaster(Path(await tx.fetchval("SHOW data_directory")))
    rounds: dict[tuple[int, int], list[Reached]] = defaultdict(list)
    for _ in range(ROUNDS):
        for at_once in AT_ONCE:
            for number in (1, 2):
                await lay_out(database, "10.0.0.0/8", whole=True)
                await usage.quiet()
                rounds[at_once, number].append(await _by(number, dsn, times, at_once, postgres))
    reached = {
        key: sorted(all_of, key=lambda one: one.per_s)[ROUNDS // 2]
        for key, all_of in rounds.items()
    }
    rows = [
        (at_once, number, f"{each.per_s:.0f}", usage.told(each.cores))
        for (at_once, number), each in reached.items()
    ]
    say(table(("at a time", "processes", "orders/s", "cores used"), rows))
    times_by_two = {n: reached[n, 2].per_s / reached[n, 1].per_s for n in AT_ONCE}
    say("orders by two processes: " + _by_load(times_by_two, "{:.2f} ×"))
    one, two = reached[FEW, 1], reached[FEW, 2]
    bound = usage.bound_by(reached[MANY, 2].cores, os.cpu_count() or 1)
    return [
        Result(
            name="ipam-orders", ours=one.per_s, peer=one.per_s * len(ORDER), goal=ORDERS_GOAL,
            unit="/s", at_least=True,
            details={"per_s": {str(n): reached[n, 1].per_s for n in AT_ONCE}},
            says="sets of five IPv4 addresses, a /64 and a VLAN id claimed by one process, "
            f"all or none of each, {FEW} at a time, median of {ROUNDS} ("
            f"{_by_load({n: reached[n, 1].per_s for n in AT_ONCE}, '{:.0f}/s')}); "
            "peer: the rows of these",
        ),
        Result(
            name="ipam-orders-2", ours=times_by_two[FEW], peer=2.0, goal=PAIR_GOAL,
            unit="x", at_least=True,
            details={
                "times": {str(n): each for n, each in times_by_two.items()},
                "cores": {f"{n} by {number}": each.cores for (n, number), each in reached.items()},
                "bound": bound,
            },
            says=f"the same by two processes from the same pools, each {FEW} at a time "
            f"({two.per_s:.0f}/s), over one; by load: {_by_load(times_by_two, '{:.2f} ×')}, where "
            f"two are {bound}; peer: twice",
        ),
    ]  # fmt: skip


def _by_load(figures: Mapping[int, float], form: str) -> str:
    """Return one line: `1.62 × with 1 at a time, 1.29 × with 4, …`."""
    parts = [f"{form.format(each)} with {n}" for n, each in figures.items()]
    return ", ".join([f"{parts[0]} at a time", *parts[1:]])


async def _by(processes: int, dsn: str, times: int, at_once: int, postgres: int) -> Reached:
    """Have so many processes claim together from one moment on, each `at_once` at a time.

    `postgres` is the first process of PostgreSQL.
    """
    running = [
        await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.ipam.process",
            "orders", dsn, str(times // processes), str(at_once),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )
        for _ in range(processes)
    ]  # fmt: skip
    try:
        for each in running:
            assert each.stdout is not None
            await each.stdout.readline()
        families = {f"process {number}": each.pid for number, each in enumerate(running, 1)}
        families["postgres"] = postgres
        for each in running:
            assert each.stdin is not None
            each.stdin.write(b"go\n")
        before = usage.sample(families)
        told = []
        for each in running:
            assert each.stdout is not None
            told.append(float(await each.stdout.readline()))
        used = usage.cores(before, usage.sample(families))
        for each in running:
            assert each.stdin is not None
            each.stdin.close()
            await each.wait()
    finally:
        for each in running:
            if each.returncode is None:
                each.kill()
                await each.wait()
    return Reached(sum(told), used)
