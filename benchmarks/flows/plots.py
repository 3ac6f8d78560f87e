"""The plots of the flow benchmarks: SVG by the name of its file."""

from collections.abc import Mapping, Sequence

from benchmarks import plot
from benchmarks.plot import Point


def rates(rows: Sequence[tuple[str, float]]) -> dict[str, str]:
    title = "W1: steps per second of one worker, ten HTTP calls a flow"
    return {"flows-w1": plot.bars(title, rows, "steps/s")}


def alone(seconds_of: Mapping[str, Sequence[float]], goal_ms: float) -> dict[str, str]:
    """Show the runs of each contestant from the fastest to the slowest."""
    series = [
        (
            name,
            [
                (100 * (at + 1) / len(taken), seconds * 1e3)
                for at, seconds in enumerate(sorted(taken))
            ],
        )
        for name, taken in seconds_of.items()
    ]
    title = "W1: one run alone, the slowest last"
    return {"flows-w1-alone": plot.lines(title, series, "% of runs", "ms", goal=goal_ms)}


def waits(growth_mb: Sequence[Point], flows: int, goal_mb: float) -> dict[str, str]:
    title = f"W2: growth of the worker's memory while {flows} flows wait"
    return {"flows-w2": plot.lines(title, [("resident", growth_mb)], "s", "MB", goal=goal_mb)}


def killed(
    done: Sequence[Point], killed_s: float, recovered_s: float, steps: int
) -> dict[str, str]:
    marks = [(killed_s, "kill -9"), (recovered_s, "all taken over")]
    title = f"W3: steps in the journal of {steps}, one of two workers killed"
    return {"flows-w3": plot.lines(title, [("done", done)], "s", "steps", marks=marks)}


def loop(cpu_s: Sequence[float], wall_s: Sequence[float], iterations: int) -> dict[str, str]:
    series = [
        (
            name,
            [
                ((number + 0.5) * iterations / len(costs), cost * 1e3)
                for number, cost in enumerate(costs)
            ],
        )
        for name, costs in (("CPU of worker and PostgreSQL", cpu_s), ("wall, median", wall_s))
    ]
    title = "W4: cost of an iteration of one long run"
    return {"flows-w4": plot.lines(title, series, "iteration", "ms")}


def pair(rate_of: Mapping[int, float], goal_times: float) -> dict[str, str]:
    rows = [(f"{workers} worker{'s' * (workers > 1)}", rate) for workers, rate in rate_of.items()]
    goal = goal_times * rate_of[1]
    return {"flows-w5": plot.bars("W5: steps per second", rows, "steps/s", goal=goal)}
