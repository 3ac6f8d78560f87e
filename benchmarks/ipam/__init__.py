"""`ipam`: what claims cost, by one process and by two, by size and fill; index; cold start."""

from benchmarks.ipam import rates, sizes
from benchmarks.result import Result


async def measure(*, size: float = 1.0) -> list[Result]:
    """Return the figures; `size` is a share of the claims, to try it."""
    return [*await rates.measure(size), *await sizes.measure(size)]
