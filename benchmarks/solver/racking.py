"""`solver`: matching, batches, racking and bin packing, in this process and on one core.

What a deterministic limit is in seconds depends on the machine; the walls are what is told.
"""

import asyncio
import os
import random
import resource
import sys
import time
from pathlib import Path
from uuid import UUID

from app.solver.batch import BatchPlan, solve
from app.solver.match import match
from app.solver.placing import Machine, RackSpace, Standing
from app.solver.racking import RackPlan, rack_up
from app.solver.want import DiskKind, ServerWant, StorageWant
from benchmarks import binpack, plot
from benchmarks.fleet import fleet, orders, rooms
from benchmarks.percentile import percentile
from benchmarks.report import say, table
from benchmarks.result import Result

BINPACK = "SLIPWAY_BENCH_BINPACK"
"""Names a bin packing file of the OR-Library; without it that part is left out."""
WANT = ServerWant(
    min_cores=8,
    ram_gb=64,
    storage=(StorageWant(kind=DiskKind.nvme, count=2, raid=1),),
    datacentres=("ams",),
)
MATCHES = 60
SIZES = (1_000, 10_000, 30_000, 100_000)
ORDERS = 1_000
SERVERS = 10_000
SEED = 1
LIMIT = 1.0
RACKINGS = ((20, 60), (50, 150))
RACK_U = 42
BIN_LIMIT_S = 15.0


async def measure() -> list[Result]:
    """Return the figures; nothing else runs in this process meanwhile."""
    return await asyncio.to_thread(_measure)


def _measure() -> list[Result]:
    batches = _batches()  # first, so that memory is its own
    return [_matching(), *batches, _racking(), *_binpack()]


def _matching() -> Result:
    """One order among ever more servers."""
    rows, line = [], []
    for number in SIZES:
        inventory = fleet(number, SEED)
        taken = []
        for seed in range(MATCHES):
            began = time.perf_counter()
            match(inventory, WANT, seed=seed)
            taken.append((time.perf_counter() - began) * 1e3)
        rows.append((number, f"{percentile(taken, 0.5):.2f}", f"{percentile(taken, 0.99):.2f}"))
        line.append((float(number), percentile(taken, 0.5)))
    say(table(("servers", "p50 ms", "p99 ms"), rows))
    drawn = plot.lines("One order among ever more servers", [("p50", line)], "servers", "ms")
    return Result(
        name="solver-match",
        ours=line[-1][1],
        peer=line[0][1],
        goal=5.0,
        unit="ms",
        says=f"one order among {SIZES[-1]:,} servers, p50; peer: among {SIZES[0]:,}",
        plots={"solver-match": drawn},
    )


def _batches() -> list[Result]:
    """1,000 orders with all side rules, by servers, and where every rack is short."""
    cases = [(SERVERS, 1.0)] + [(number, 0.25) for number in SIZES[1:]]
    rows, line, told, memory = [], [], {}, {}
    for number, tight in cases:
        plan, took_s = _batch(number, tight)
        told[number, tight] = plan, took_s
        memory[number] = _most_memory_mb()
        rows.append(
            (number, f"{tight:.0%}", len(plan.assignments), plan.bound, f"{plan.gap:.2%}",
             plan.proven, f"{took_s:.2f}")
        )  # fmt: skip
        if tight < 1:
            line.append((float(number), took_s))
    say(table(("servers", "racks short", "placed", "bound", "gap", "proven", "s"), rows))
    plan, took_s = told[SERVERS, 0.25]
    short = told[SERVERS, 1.0]
    drawn = plot.lines(f"{ORDERS:,} orders at once", [("wall", line)], "servers", "s")
    growth = [(float(number), memory[number]) for number in SIZES[1:]]
    grown = plot.lines(f"Memory for {ORDERS:,} orders", [("most", growth)], "servers", "MB")
    says = f"{ORDERS:,} orders × {SERVERS:,} servers, side rules, a quarter of the racks short"
    details = {
        "proven": plan.proven,
        "all racks short": {"placed": len(short[0].assignments), "bound": short[0].bound,
                            "gap": short[0].gap, "wall_s": short[1]},
    }  # fmt: skip
    return [
        Result(name="solver-batch", ours=took_s, peer=line[-1][1], goal=5.0, details=details,
               says=f"{says}; peer: × {SIZES[-1]:,} servers", plots={"solver-batch": drawn}),
        Result(name="solver-batch-gap", ours=plan.gap * 100, peer=short[0].gap * 100, goal=0.5,
               unit="%", says=f"{says}: bound less placed; peer: with every rack short"),
        Result(name="solver-memory", ours=memory[SERVERS], peer=memory[SIZES[-1]], goal=600.0,
               unit="MB", says=f"the process at its largest; peer: × {SIZES[-1]:,} servers",
               plots={"solver-memory": grown}),
    ]  # fmt: skip


def _most_memory_mb() -> float:
    """Return the most that this process ever had; it never falls."""
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _batch(number: int, tight: float) -> tuple[BatchPlan, float]:
    inventory, racks = fleet(number, SEED), rooms(number, SEED, tight=tight)
    waiting = orders(ORDERS, SEED)
    began = time.perf_counter()
    plan = solve(inventory, waiting, seed=SEED, deterministic_limit=LIMIT, racks=racks)
    return plan, time.perf_counter() - began


def _racking() -> Result:
    """Contended deliveries, against first-fit decreasing."""
    rows, plans = [], []
    for racks, machines in RACKINGS:
        began = time.perf_counter()
        plan = _racked(racks, machines)
        took_s = time.perf_counter() - began
        plans.append(plan)
        rows.append(
            (f"{machines} into {racks}", plan.first_fit, len(plan.placed), plan.bound,
             f"{took_s:.1f}")
        )  # fmt: skip
    say(table(("delivery", "first fit", "placed", "bound", "s"), rows))
    return Result(
        name="solver-racking",
        ours=len(plans[0].placed),
        peer=plans[0].first_fit,
        goal=plans[0].first_fit + 1,
        unit="",
        at_least=True,
        says="machines racked of 60 into 20 contended racks; peer: first-fit decreasing",
        details={row[0]: dict(zip(("first fit", "placed", "bound"), row[1:4], strict=True))
                 for row in rows},
    )  # fmt: skip


def _racked(racks: int, machines: int) -> RackPlan:
    """Rack machines of 1 to 4 units and eight clients into racks that are used already."""
    rng = random.Random(SEED)
    floor = [_used_rack(rng, place) for place in range(racks)]
    delivery = [
        Machine(
            id=UUID(int=place + 1),
            u_height=(height := rng.choice([1, 1, 2, 2, 3, 4])),
            watts=rng.choice([150, 250, 350]) + 60 * height,
            weight_kg=12 * height + 6,
            client=f"client {rng.randrange(machines // 7)}",
        )
        for place in range(machines)
    ]
    return rack_up(floor, delivery, seed=SEED, deterministic_limit=LIMIT)


def _used_rack(rng: random.Random, number: int) -> RackSpace:
    """Return a rack with holes, and little left of one thing or another."""
    standing: list[Standing] = []
    unit = 1 + rng.choice([0, 1, 2, 3, 4])
    while unit + (height := rng.choice([1, 1, 2, 4])) <= RACK_U + 1:
        machine = Machine(
            id=UUID(int=1000 * (number + 1) + unit),
            u_height=height,
            watts=150 * height,
            weight_kg=15 * height,
        )
        standing.append(Standing(machine=machine, u_position=unit))
        unit += height + rng.choice([0, 0, 1, 2, 3, 4])
    watts = sum(one.machine.watts for one in standing)
    return RackSpace(
        name=f"r{number}",
        u_height=RACK_U,
        feed_a_watts=watts + rng.randrange(600, 1500, 50),
        feed_b_watts=watts + rng.randrange(600, 1500, 50),
        weight_kg=sum(one.machine.weight_kg for one in standing) + rng.randrange(60, 140),
        cooling_watts=watts + rng.randrange(700, 1800, 50),
        ports=len(standing) + rng.randrange(2, 6),
        most_of_client=2,
        standing=tuple(standing),
    )


def _binpack() -> list[Result]:
    """Every instance of the file into as many racks as the best known answer has bins."""
    name = os.environ.get(BINPACK)
    if not name or not Path(name).exists():
        say(f"\nBin packing is left out: {BINPACK} names no file of the OR-Library.")
        return []
    instances = binpack.load(Path(name))
    reached, slowest_s = 0, 0.0
    for instance in instances:
        began = time.perf_counter()
        plan = rack_up(instance.racks(), instance.machines(), seed=SEED, deterministic_limit=LIMIT)
        took_s = time.perf_counter() - began
        slowest_s = max(slowest_s, took_s)
        reached += not plan.unplaced and took_s <= BIN_LIMIT_S
        if plan.unplaced:
            left = len(plan.unplaced)
            say(f"{instance.name}: {left} items do not fit {instance.best_known} bins")
    return [
        Result(
            name="solver-binpack",
            ours=reached,
            peer=len(instances),
            goal=len(instances),
            unit="",
            at_least=True,
            says=f"instances of {Path(name).stem} at the best known bins in 15 s; peer: all",
            details={"slowest_s": slowest_s},
        )
    ]
