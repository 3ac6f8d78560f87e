"""`solver`: matching, batches, racking and bin packing in-process; matching over HTTP."""

from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.environment import PeerMissing
from benchmarks.report import say
from benchmarks.result import Result
from benchmarks.solver import batches, matching, over_http, racking


def parts(size: float = 1.0) -> dict[str, Callable[[], Awaitable[list[Result]]]]:
    """Return what is measured one after the other; `size` is a share of the work, to try it."""
    return {
        "matching": partial(matching.measure, size),
        "batches": partial(batches.measure, size),
        "racking": partial(racking.measure, size),
        "binpack": partial(racking.measure_binpack, size),
        "over HTTP": partial(_over_http, size),
    }


async def _over_http(size: float) -> list[Result]:
    try:
        return await over_http.measure(size)
    except PeerMissing as missing:
        say(missing.message)
        return []
