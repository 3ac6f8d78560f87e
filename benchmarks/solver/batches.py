"""1,000 orders at once with all side rules: by servers, and where every rack is short."""

from benchmarks import plot
from benchmarks.report import say, table
from benchmarks.result import Result
from benchmarks.solver.process import ORDERS, Solved, told

SIZES = (1_000, 3_000, 10_000, 30_000, 100_000)
GOAL_SIZE = 10_000
QUARTER, ALL = 0.25, 1.0
GOAL_S = 5.0
GOAL_GAP = 0.5
GOAL_MB = 600.0


async def measure(size: float) -> list[Result]:
    """Return wall time, gap and memory; `size` is a share of the servers."""
    sizes = [round(number * size) for number in SIZES]
    middle, last = round(GOAL_SIZE * size), sizes[-1]
    found = {number: await told(Solved, "batch", number, QUARTER) for number in sizes}
    short = await told(Solved, "batch", middle, ALL)
    rows = [(number, QUARTER, one) for number, one in found.items()] + [(middle, ALL, short)]
    head = ("servers", "racks short", "placed", "bound", "gap", "proven", "s", "MB")
    say(table(head, [
        (f"{number:,}", f"{share:.0%}", one.placed, one.bound, f"{one.gap:.2%}", one.proven,
         f"{one.wall_s:.2f}", f"{one.memory_mb:.0f}") for number, share, one in rows
    ]))  # fmt: skip
    wall = plot.lines(
        f"{ORDERS:,} orders at once", [
            ("wall", [(float(number), one.wall_s) for number, one in found.items()])
        ], "servers", "s", goal=GOAL_S,
    )  # fmt: skip
    memory = plot.lines(
        f"Memory of a process that serves {ORDERS:,} orders", [
            ("at its most", [(float(number), one.memory_mb) for number, one in found.items()])
        ], "servers", "MB", goal=GOAL_MB,
    )  # fmt: skip
    orders = f"{ORDERS:,} orders with all side rules × {middle:,} servers"
    return [
        *_solved("solver-batch", found[middle], f"{orders}, a quarter of the racks short", wall),
        *_solved("solver-batch-short", short, f"{orders}, every rack short"),
        Result(
            name="solver-memory", ours=max(found[middle].memory_mb, short.memory_mb),
            peer=found[last].memory_mb, goal=GOAL_MB, unit="MB", plots={"solver-memory": memory},
            says=f"{orders}, the process at its most, fleet included; peer: × {last:,} servers",
        ),
    ]  # fmt: skip


def _solved(name: str, one: Solved, says: str, drawn: str = "") -> list[Result]:
    """Return the time and the gap of one batch; its tiers are in the details."""
    details = {
        "placed": one.placed, "bound": one.bound, "proven": one.proven,
        "tiers": {tier.tier: {"value": tier.value, "bound": tier.bound} for tier in one.tiers},
    }  # fmt: skip
    open_tiers = [tier.tier for tier in one.tiers if tier.value != tier.bound]
    proof = f"not proven: {', '.join(open_tiers)}" if open_tiers else "every tier proven"
    return [
        Result(name=name, ours=one.wall_s, peer=GOAL_S, goal=GOAL_S, details=details,
               says=f"{says}; {proof}; peer: the goal", plots={name: drawn} if drawn else {}),
        Result(name=f"{name}-gap", ours=one.gap * 100, peer=GOAL_GAP, goal=GOAL_GAP, unit="%",
               says=f"{says}: {one.placed} placed, none can place more than {one.bound}; "
               "peer: the goal"),
    ]  # fmt: skip
