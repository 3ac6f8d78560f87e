"""W4: one run of ten thousand iterations: what a step costs at its beginning and at its end."""

import itertools
from collections.abc import Sequence
from datetime import datetime

from benchmarks.flows import documents, plots, usage
from benchmarks.flows.works import Works
from benchmarks.percentile import percentile
from benchmarks.report import say
from benchmarks.result import Result

FLOW = "bench-loop"
ITERATIONS = 10_000
PARTS = 10
GOAL = 1.2
LIMIT_S = 600.0


def costs_s(ends: Sequence[datetime], parts: int = PARTS) -> list[float]:
    """Return the median seconds from one end to the next in each of `parts` equal parts.

    The median, since one hiccup of a shared machine weighs more than a thousand steps. Pure.
    """
    gaps = [(late - early).total_seconds() for early, late in itertools.pairwise(sorted(ends))]
    size = len(gaps) // parts
    if not size:
        raise ValueError(f"{len(gaps)} steps cannot be looked at in {parts} parts")
    return [percentile(gaps[part * size : (part + 1) * size], 0.5) for part in range(parts)]


def means_s(ends: Sequence[datetime], parts: int = PARTS) -> list[float]:
    """Return the mean seconds per step in each of `parts` equal parts. Pure."""
    order = sorted(ends)
    size = (len(order) - 1) // parts
    if not size:
        raise ValueError(f"{len(order)} steps cannot be looked at in {parts} parts")
    return [
        (order[(part + 1) * size] - order[part * size]).total_seconds() / size
        for part in range(parts)
    ]


async def measure(works: Works, size: float) -> list[Result]:
    iterations = max(100, round(ITERATIONS * size))
    iterations -= iterations % documents.INNER if iterations > documents.INNER else 0
    await works.publish(documents.loop(FLOW, works.target_url, iterations=iterations))
    (worker,) = await works.hire()
    try:
        families = works.families()
        before = usage.sample(families)
        batch = await works.start(FLOW, 1)
        wall_s = await works.finish(batch, limit_s=LIMIT_S)
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
    costs, means = costs_s(ends), means_s(ends)
    told = " ".join(f"{cost * 1e3:.2f}" for cost in costs)
    say(
        f"W4: {len(ends)} iterations in {wall_s:.1f} s; ms per iteration by tenths: {told}; "
        f"means {means[0] * 1e3:.2f} … {means[-1] * 1e3:.2f}; {usage.told(used)}"
    )
    return [
        Result(
            name="flows-w4", ours=costs[-1] / costs[0], peer=1.0, goal=GOAL, unit="x",
            details={"median_s": costs, "mean_s": means, "wall_s": wall_s, "cores": used},
            plots=plots.loop([cost * 1e3 for cost in costs], iterations),
            says=f"one run of {iterations} iterations with one HTTP call: median cost of the last "
            "tenth over that of the first; peer: flat",
        )
    ]  # fmt: skip
