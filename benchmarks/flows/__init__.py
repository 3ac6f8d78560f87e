"""`flows`: what the flow engine reaches, beside DBOS and Restate on the same machine and steps.

W1 steps per second and one run alone, W2 waits, W3 a worker killed, W4 a long loop, W5 two workers.
"""

from collections.abc import Awaitable, Callable, Collection

from app.core.errors import Refusal
from benchmarks.flows import killed, long_loop, pair, steps, waits
from benchmarks.flows.works import Works, works
from benchmarks.report import say
from benchmarks.result import Result

PARTS: dict[str, Callable[[Works, float], Awaitable[list[Result]]]] = {
    "w1": steps.measure,
    "w2": waits.measure,
    "w3": killed.measure,
    "w4": long_loop.measure,
    "w5": pair.measure,
}


async def measure(*, size: float = 1.0, parts: Collection[str] = tuple(PARTS)) -> list[Result]:
    """Return the figures of the parts asked for. A `size` below 1 only tries the whole out.

    A part that cannot be measured is told and does not keep the others from being.
    """
    results: list[Result] = []
    refusals: list[Refusal] = []
    for name, part in PARTS.items():
        if name not in parts:
            continue
        try:
            async with works() as these:
                results += await part(these, size)
        except Refusal as refusal:
            say(f"{name.upper()} could not be measured: {refusal.message}")
            refusals.append(refusal)
    if refusals and not results:
        raise refusals[0]
    return results
