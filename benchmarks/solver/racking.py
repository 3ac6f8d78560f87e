"""Racking: contended deliveries against first-fit decreasing, and the OR-Library's bin packing."""

import asyncio
import os
import random
import time
from pathlib import Path
from uuid import UUID

from app.solver.placing import Machine, RackSpace, Standing
from app.solver.racking import RackPlan, rack_up
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.solver import binpack

BINPACK = "SLIPWAY_BENCH_BINPACK"
"""Names a bin packing file of the OR-Library; without it that part is left out."""
RACKINGS = ((20, 60, "solver-racking"), (50, 150, "solver-racking-150"))
SEEDS = (1, 2, 3, 4, 5)
SEED = 1
LIMIT = 1.0
RACK_U = 42
BIN_LIMIT_S = 15.0


async def measure(size: float) -> list[Result]:
    """Return what was racked of deliveries; `size` is a share of the seeds."""
    seeds = SEEDS[: max(1, round(len(SEEDS) * size))]
    return await asyncio.to_thread(lambda: [_racking(*one, seeds) for one in RACKINGS])


async def measure_binpack(size: float) -> list[Result]:
    """Return how many instances reach the best known bins; `size` is a share of them."""
    return await asyncio.to_thread(_binpack, size)


def _racking(racks: int, machines: int, name: str, seeds: tuple[int, ...]) -> Result:
    rows: list[tuple[int, int, int, int, float]] = []
    for seed in seeds:
        began = time.perf_counter()
        plan = _racked(racks, machines, seed)
        took_s = time.perf_counter() - began
        rows.append((seed, plan.first_fit, len(plan.placed), plan.bound, took_s))
    head = (f"seed ({machines} into {racks})", "first fit", "placed", "bound", "s")
    say(table(head, [(*row[:4], f"{row[4]:.1f}") for row in rows]))
    first_fit, placed, bound = (sum(row[column] for row in rows) for column in (1, 2, 3))
    return Result(
        name=name, ours=placed, peer=first_fit, goal=first_fit + 1, unit="", at_least=True,
        says=f"machines racked of {machines} into {racks} contended racks, {len(seeds)} deliveries "
        f"together; none could rack more than {bound}; peer: first-fit decreasing",
        details={f"seed {row[0]}": dict(zip(head[1:], row[1:], strict=True)) for row in rows},
    )  # fmt: skip


def _racked(racks: int, machines: int, seed: int) -> RackPlan:
    """Rack machines of 1 to 4 units and eight clients into racks that are used already."""
    rng = random.Random(seed)
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
    return rack_up(floor, delivery, seed=seed, deterministic_limit=LIMIT)


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


def _binpack(size: float = 1.0) -> list[Result]:
    """Every instance of the file into as many racks as the best known answer has bins."""
    name = os.environ.get(BINPACK)
    if not name or not Path(name).exists():
        say(f"\nBin packing is left out: {BINPACK} names no file of the OR-Library.")
        return []
    whole = binpack.load(Path(name))
    instances = whole[: max(1, round(len(whole) * size))]
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
            name="solver-binpack", ours=reached, peer=len(instances), goal=len(instances), unit="",
            at_least=True, details={"slowest_s": slowest_s},
            says=f"instances of {Path(name).stem} at the best known bins in {BIN_LIMIT_S:.0f} s, "
            f"the slowest in {slowest_s:.1f} s; peer: all",
        )
    ]  # fmt: skip
