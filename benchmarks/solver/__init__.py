"""`solver`: matching, batches, racking and bin packing in-process; matching over HTTP."""

from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.environment import if_installed
from benchmarks.result import Result
from benchmarks.solver import batches, matching, over_http, racking


def parts(size: float = 1.0) -> dict[str, Callable[[], Awaitable[list[Result]]]]:
    """Return what is measured one after the other; `size` is a share of the work, to try it."""
    return {
        "matching": partial(matching.measure, size),
        "batches": partial(batches.measure, size),
        "racking": partial(racking.measure, size),
        "binpack": partial(racking.measure_binpack, size),
        "over HTTP": lambda: if_installed(over_http.measure(size)),
    }
