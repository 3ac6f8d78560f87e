"""`ipam`: what claims cost, by size and fill, by one process and by two, and over HTTP."""

from collections.abc import Awaitable, Callable
from functools import partial

from benchmarks.environment import PeerMissing
from benchmarks.ipam import over_http, rates, sizes
from benchmarks.report import say
from benchmarks.result import Result


def parts(size: float = 1.0) -> dict[str, Callable[[], Awaitable[list[Result]]]]:
    """Return what is measured one after the other; `size` is a share of the claims, to try it."""
    return {
        "rates": partial(rates.measure, size),
        "sizes": partial(sizes.measure, size),
        "over HTTP": partial(_over_http, size),
    }


async def _over_http(size: float) -> list[Result]:
    try:
        return await over_http.measure(size)
    except PeerMissing as missing:
        say(missing.message)
        return []
