"""`python -m benchmarks.solver.process match|batch SERVERS [SHORT]`: one size, its result as JSON.

A process of its own for each, so that its memory is that of this size alone; it runs on one core.
"""

import asyncio
import resource
import sys
import time
from typing import TypeVar

import msgspec

from app.core.errors import Refusal
from app.solver.batch import TierResult, solve
from app.solver.match import match
from app.solver.want import DiskKind, ServerWant, StorageWant
from benchmarks.percentile import percentile
from benchmarks.solver.fleet import fleet, orders, rooms

SEED = 1
WANT = ServerWant(
    min_cores=8,
    ram_gb=64,
    storage=(StorageWant(kind=DiskKind.nvme, count=2, raid=1),),
    datacentres=("ams",),
)
MATCHES = 200
ORDERS = 1_000
LIMIT = 0.5
"""In CP-SAT's units of work; a second or more of one core each where a batch is large."""

Told = TypeVar("Told", bound=msgspec.Struct)


class Matched(msgspec.Struct, frozen=True):
    """One order among so many servers, asked again and again with another seed."""

    p50_ms: float
    p99_ms: float
    memory_mb: float
    """The most that the process ever had."""


class Solved(msgspec.Struct, frozen=True):
    """A batch of `ORDERS`."""

    wall_s: float
    placed: int
    bound: int
    gap: float
    proven: bool
    tiers: tuple[TierResult, ...]
    memory_mb: float


class SizeFailed(Refusal):
    code = "bench.solver_failed"


async def told(answer: type[Told], *arguments: object) -> Told:
    """Run this module in a fresh process and return what it measured. Raises SizeFailed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.solver.process", *map(str, arguments),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        said, complaints = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode:
        raise SizeFailed(f"{arguments}: {complaints.decode(errors='replace').strip()[-1_000:]}")
    return msgspec.json.decode(said, type=answer)


def matched(servers: int) -> Matched:
    inventory = fleet(servers, SEED)
    taken = []
    for seed in range(MATCHES):
        began = time.perf_counter()
        match(inventory, WANT, seed=seed)
        taken.append((time.perf_counter() - began) * 1e3)
    return Matched(percentile(taken, 0.5), percentile(taken, 0.99), _most_memory_mb())


def solved(servers: int, short: float) -> Solved:
    """Solve a batch with all side rules; `short` is the share of racks that are short."""
    inventory, racks = fleet(servers, SEED), rooms(servers, SEED, tight=short)
    waiting = orders(ORDERS, SEED)
    began = time.perf_counter()
    plan = solve(inventory, waiting, seed=SEED, deterministic_limit=LIMIT, racks=racks)
    return Solved(
        time.perf_counter() - began, len(plan.assignments), plan.bound, plan.gap, plan.proven,
        plan.tiers, _most_memory_mb(),
    )  # fmt: skip


def _most_memory_mb() -> float:
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def main(kind: str, servers: str, short: str = "0") -> None:
    answer = matched(int(servers)) if kind == "match" else solved(int(servers), float(short))
    sys.stdout.buffer.write(msgspec.json.encode(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
