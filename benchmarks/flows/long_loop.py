"""W4: one run of ten thousand iterations: what a step costs at its beginning and at its end."""

import bisect
import itertools
from collections.abc import Sequence
from datetime import datetime

from benchmarks import usage
from benchmarks.flows import documents, plots
from benchmarks.flows.works import Works
from benchmarks.percentile import percentile
from benchmarks.report import say
from benchmarks.result import Result

FLOW = "bench-loop"
ITERATIONS = 10_000
PARTS = 10
GOAL = 1.2
LIMIT_S = 600.0


def wall_s(ends: Sequence[datetime], parts: int = PARTS) -> list[float]:
    """Return the median seconds from one end to the next in each of `parts` equal parts.

    The median, since one hiccup of a shared machine weighs more than a thousand steps.
    """
    gaps = [(late - early).total_seconds() for early, late in itertools.pairwise(sorted(ends))]
    size = len(gaps) // parts
    if not size:
        raise ValueError(f"{len(gaps)} steps cannot be looked at in {parts} parts")
    return [percentile(gaps[part * size : (part + 1) * size], 0.5) for part in range(parts)]


def cpu_s(
    ends: Sequence[datetime], seen: Sequence[tuple[datetime, float]], parts: int = PARTS
) -> list[float]:
    """Return the CPU seconds per step in each of `parts` equal parts.

    `seen` is the CPU time until some moments; between two of them it is taken to be even.
    """
    order = sorted(ends)
    size = (len(order) - 1) // parts
    if not size or not seen:
        raise ValueError(f"{len(order)} steps cannot be looked at in {parts} parts")
    until = [_at(order[part * size], seen) for part in range(parts + 1)]
    return [(late - early) / size for early, late in itertools.pairwise(until)]


def _at(moment: datetime, seen: Sequence[tuple[datetime, float]]) -> float:
    place = bisect.bisect_left(seen, moment, key=lambda look: look[0])
    if place in (0, len(seen)):
        return seen[min(place, len(seen) - 1)][1]
    (early, before), (late, after) = seen[place - 1], seen[place]
    return before + (after - before) * ((moment - early) / (late - early))


async def measure(works: Works, size: float) -> list[Result]:
    iterations = max(100, round(ITERATIONS * size))
    await works.publish(documents.loop(FLOW, works.target_url))
    (worker,) = await works.hire()
    try:
        families = works.families()
        ours = {name: pid for name, pid in families.items() if name in ("worker 1", "postgres")}
        before = usage.sample(families)
        async with usage.watching(ours) as seen:
            batch = await works.start(FLOW, 1, items=list(range(iterations)))
            whole_s = await works.finish(batch, limit_s=LIMIT_S)
        used = usage.cores(before, usage.sample(families))
        async with works.database.snapshot() as tx:
            rows = await tx.fetch(
                "SELECT finished_at FROM step_attempt WHERE run = $1 AND node = 'call' "
                "AND status = 'succeeded'",
                batch.runs[0],
            )
    finally:
        await works.dismiss(worker)
    ends = [row["finished_at"] for row in rows]
    wall, cpu = wall_s(ends), cpu_s(ends, seen)
    say(
        f"W4: {len(ends)} iterations in {whole_s:.1f} s; by tenths, ms per iteration: CPU "
        f"{_told(cpu)}; wall, median {_told(wall)}; {usage.told(used)}"
    )
    details = {"cpu_s": cpu, "wall_s": wall, "whole_s": whole_s, "cores": used}
    says = f"one run of {iterations} iterations with one HTTP call: {{}} of one in the last tenth "
    says += "over that in the first; peer: flat"
    return [
        Result(
            name="flows-w4", ours=cpu[-1] / cpu[0], peer=1.0, goal=GOAL, unit="x",
            details=details, plots=plots.loop(cpu, wall, iterations),
            says=says.format("CPU of worker and PostgreSQL"),
        ),
        Result(
            name="flows-w4-wall", ours=wall[-1] / wall[0], peer=1.0, goal=GOAL, unit="x",
            says=says.format("median wall time"),
        ),
    ]  # fmt: skip


def _told(costs_s: Sequence[float]) -> str:
    return " ".join(f"{cost * 1e3:.2f}" for cost in costs_s)
