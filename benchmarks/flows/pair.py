"""W5: two workers against one, and who used the cores."""

import os

from benchmarks import usage
from benchmarks.flows import ours, plots
from benchmarks.flows.peers.plan import Reached
from benchmarks.flows.works import Works
from benchmarks.report import say, table
from benchmarks.result import Result

FLOWS = 1_000
"""Enough that both are busy to the end, however they divide the first."""
WARM_UP = 60
ROUNDS = 3
GOAL = 1.6


async def measure(works: Works, size: float) -> list[Result]:
    """Measure in turn with one worker and with two; the best round of each counts."""
    best: dict[int, Reached] = {}
    for _ in range(ROUNDS):
        for workers in (1, 2):
            async with ours.running(works, workers) as running:
                await running.many(max(4, round(WARM_UP * size)), ours.SETTINGS[0])
                await usage.quiet()
                reached = await running.many(max(8, round(FLOWS * size)), ours.SETTINGS[0])
            if workers not in best or reached.steps_per_s > best[workers].steps_per_s:
                best[workers] = reached
    times = best[2].steps_per_s / best[1].steps_per_s
    bound = usage.bound_by(best[2].cores, os.cpu_count() or 1)
    rows = [
        (workers, f"{reached.steps_per_s:.0f}", usage.told(reached.cores))
        for workers, reached in best.items()
    ]
    say(table(("W5 workers", "steps/s", "cores used"), rows))
    say(f"W5: {times:.2f} × with two workers; {bound}")
    rate_of = {workers: reached.steps_per_s for workers, reached in best.items()}
    return [
        Result(
            name="flows-w5", ours=times, peer=2.0, goal=GOAL, unit="x", at_least=True,
            plots=plots.pair(rate_of, GOAL),
            details={
                "steps_per_s": {str(n): each.steps_per_s for n, each in best.items()},
                "cpu_us_per_step": {str(n): each.cpu_us_per_step for n, each in best.items()},
                "cores": {str(n): each.cores for n, each in best.items()},
                "bound": bound,
            },
            says=f"steps per second of two workers over those of one; {bound}; peer: twice",
        )
    ]  # fmt: skip
