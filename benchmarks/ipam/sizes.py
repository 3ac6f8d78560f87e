"""What a claim costs by the size and the fill of its prefix, what an index does, a cold start."""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from ipaddress import IPv4Network
from pathlib import Path
from uuid import UUID

from app.core.database import Database
from app.domain.addresses.index import AddressIndex
from app.domain.addresses.pools import pools_of
from app.ipam.wants import AddressKind
from benchmarks import plot
from benchmarks.ipam.ground import DATACENTRE, ONE, claim_for, fill, ground, lay_out
from benchmarks.percentile import percentile
from benchmarks.report import say, table
from benchmarks.result import Result

LENGTHS = (24, 22, 20, 16, 12, 8)
FILLS = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999)
FILLED_LENGTH = 16
SAMPLES = 60
ROUNDS = 3
FLAT = 1.5
CLAIMS = (1_000_000, 10_000_000)
COLD_GOAL_S = 1.0


async def measure(size: float) -> list[Result]:
    """Return the cost by size and by fill, and memory, rebuild and cold start by claims."""
    async with ground() as (database, dsn):
        return [
            *await _flatness(database),
            *await _indexes(database, dsn, [round(claims * size) for claims in CLAIMS]),
        ]


async def _flatness(database: Database) -> list[Result]:
    wanted = [(length, 0.0) for length in LENGTHS] + [(FILLED_LENGTH, share) for share in FILLS]
    best = dict.fromkeys(wanted, float("inf"))
    for _ in range(ROUNDS):  # in turn, so that a busy moment is everybody's
        for length, share in best:
            best[length, share] = min(best[length, share], await _p50_ms(database, length, share))
    by_size = [(length, best[length, 0.0]) for length in LENGTHS]
    by_fill = [(share, best[FILLED_LENGTH, share]) for share in FILLS]
    say(table(("prefix, empty", "p50 ms"), [(f"/{n}", f"{ms:.3f}") for n, ms in by_size]))
    say(table((f"/{FILLED_LENGTH} full to", "p50 ms"),
              [(f"{share:.1%}", f"{ms:.3f}") for share, ms in by_fill]))  # fmt: skip
    return [
        Result(
            name="ipam-size", ours=by_size[-1][1] / by_size[0][1], peer=1.0, goal=FLAT, unit="x",
            plots={"ipam-size": plot.lines(
                "A claim by the size of an empty prefix",
                [("p50", [(float(32 - length), ms) for length, ms in by_size])],
                "bits of host part", "ms",
            )},
            says=f"p50 of a claim, alone, best of {ROUNDS}, from an empty /8 over that from an "
            "empty /24; peer: flat",
        ),
        Result(
            name="ipam-fill", ours=by_fill[-1][1] / by_fill[0][1], peer=1.0, goal=FLAT, unit="x",
            plots={"ipam-fill": plot.lines(
                f"A claim by the fill of a /{FILLED_LENGTH}",
                [("p50", [(share * 100, ms) for share, ms in by_fill])], "% taken", "ms",
            )},
            says=f"p50 of a claim, alone, from a /{FILLED_LENGTH} that is 99.9 % full over that "
            "from an empty one; peer: flat",
        ),
    ]  # fmt: skip


async def _p50_ms(database: Database, length: int, share: float) -> float:
    """Return the median of a claim, each in a transaction of its own."""
    network = IPv4Network(f"10.0.0.0/{length}")
    prefix = await lay_out(database, str(network))
    await fill(database, prefix, network.num_addresses, int(network.num_addresses * share))
    taken: list[float] = []
    for number in range(SAMPLES + 10):
        began = time.perf_counter()
        holder = await claim_for(database, ONE)
        if number >= 10:  # the first ones read the prefix
            taken.append((time.perf_counter() - began) * 1e3)
        if share > 0.99:
            await _free(database, holder)
    return percentile(taken, 0.5)


async def _free(database: Database, holder: UUID) -> None:
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM address_claim WHERE holder = $1", holder)


async def _indexes(database: Database, dsn: str, claims: Sequence[int]) -> list[Result]:
    prefix = await lay_out(database, "10.0.0.0/8")
    rows, read, cold = [], {}, {}
    for number in claims:
        await fill(database, prefix, 1 << 24, number)
        before = _resident_mb()
        index, began = AddressIndex(), time.perf_counter()
        async with database.transaction() as tx:
            pools = await pools_of(tx, DATACENTRE, [AddressKind.ip4])
            await index.refresh(tx, pools.values(), whole=True)
        read[number] = time.perf_counter() - began
        gc.collect()
        grown_mb = _resident_mb() - before
        cold[number] = await _first_claim_s(dsn)
        rows.append((f"{number:,}", f"{read[number]:.2f}", f"{cold[number]:.2f}", f"{grown_mb:.1f}",
                     index.space(prefix).free_count))  # fmt: skip
    say(table(("claims", "read s", "first claim s", "MB", "free"), rows))
    first, last = claims[0], claims[-1]
    return [
        Result(
            name="ipam-rebuild", ours=read[first], peer=read[last], goal=COLD_GOAL_S,
            says=f"reading the index of a /8 with {first:,} claims in it; peer: with {last:,}",
            details={"read_s": {str(n): s for n, s in read.items()},
                     "rows": [list(map(str, row)) for row in rows]},
        ),
        Result(
            name="ipam-cold", ours=cold[last], peer=cold[first], goal=COLD_GOAL_S,
            says="from a process's start (its imports aside) to its first claim among "
            f"{last:,}; peer: among {first:,}",
        ),
    ]  # fmt: skip


async def _first_claim_s(dsn: str) -> float:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.ipam.process", "first", dsn,
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    told, _ = await process.communicate()
    return float(told)


def _resident_mb() -> float:
    """Return this process's resident memory; 0 where the system has no /proc."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * 4096 / 2**20
    except OSError:
        return 0.0
