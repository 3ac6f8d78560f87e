"""`ipam`: what claims cost, by size and fill, by one process and by two, and over HTTP."""

from benchmarks.environment import PeerMissing
from benchmarks.ipam import over_http, rates, sizes
from benchmarks.report import say
from benchmarks.result import Result


async def measure(*, size: float = 1.0) -> list[Result]:
    """Return the figures; `size` is a share of the claims, to try it."""
    found = [*await rates.measure(size), *await sizes.measure(size)]
    try:
        return [*found, *await over_http.measure(size)]
    except PeerMissing as missing:
        say(missing.message)
        return found
