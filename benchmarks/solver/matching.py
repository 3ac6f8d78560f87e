"""One order among ever more servers, its explanation included."""

from benchmarks import plot
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.solver.process import MATCHES, Matched, told

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
GOAL_MS = 5.0


async def measure(size: float) -> list[Result]:
    """Return p50 and p99 among the most servers; `size` is a share of these."""
    sizes = [round(number * size) for number in SIZES]
    found = {number: await told(Matched, "match", number) for number in sizes}
    say(table(("servers", "p50 ms", "p99 ms", "MB"),
              [(f"{number:,}", f"{one.p50_ms:.2f}", f"{one.p99_ms:.2f}", f"{one.memory_mb:.0f}")
               for number, one in found.items()]))  # fmt: skip
    first, last = sizes[0], sizes[-1]
    drawn = plot.lines(
        "One order among ever more servers",
        [("p50", [(float(number), one.p50_ms) for number, one in found.items()]),
         ("p99", [(float(number), one.p99_ms) for number, one in found.items()])],
        "servers", "ms", goal=GOAL_MS,
    )  # fmt: skip
    memory = plot.lines(
        "Memory of a process that matches",
        [("at its most", [(float(number), one.memory_mb) for number, one in found.items()])],
        "servers", "MB",
    )  # fmt: skip
    says = f"of {MATCHES} matches of one order among {last:,} servers, in-process on one core"
    return [
        Result(
            name="solver-match", ours=found[last].p50_ms, peer=found[first].p50_ms, goal=GOAL_MS,
            unit="ms", says=f"p50 {says}; peer: among {first:,}",
            plots={"solver-match": drawn, "solver-match-memory": memory},
        ),
        Result(
            name="solver-match-p99", ours=found[last].p99_ms, peer=found[first].p99_ms,
            goal=GOAL_MS, unit="ms", says=f"p99 {says}; peer: among {first:,}",
        ),
    ]  # fmt: skip
