"""`hardware`: 200 BMCs of which some are dead or hung, polled through the product's own drivers."""

from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.bmcs import deliveries, polling
from benchmarks.result import Result


def parts(size: float = 1.0) -> dict[str, Callable[[], Awaitable[list[Result]]]]:
    """Return what is measured one after the other; `size` is a share of the BMCs, to try it."""
    return {
        "polling": partial(polling.measure, size),
        "deliveries": partial(deliveries.measure, size),
    }
