"""`ipam`: what claims cost, by size and fill, by one process and by two, and over HTTP."""

from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.environment import if_installed
from benchmarks.ipam import over_http, rates, sizes
from benchmarks.result import Result


def parts(size: float = 1.0) -> dict[str, Callable[[], Awaitable[list[Result]]]]:
    """Return what is measured one after the other; `size` is a share of the claims, to try it."""
    return {
        "rates": partial(rates.measure, size),
        "sizes": partial(sizes.measure, size),
        "over HTTP": lambda: if_installed(over_http.measure(size)),
    }
