"""The percentile that bandwidth is billed by. Pure."""

from collections.abc import Iterable
from typing import TypeVar

T = TypeVar("T", int, float)
BILLED = 95


def percentile(values: Iterable[T], percent: int = BILLED) -> T | None:
    """Return the smallest value that at least `percent` of all values do not exceed.

    That is the nearest rank: sort, leave the top twentieth out, take the highest of the rest. It
    is always one of the values; None without any. What was not measured is none of them: it
    counts neither as nothing nor as much. Time: O(n log n).
    Source: NIST/SEMATECH e-Handbook, 7.2.6.2; the usual reading of burstable billing.
    """
    if not 0 < percent <= 100:
        raise ValueError(f"{percent} is no percentage above 0")
    ordered = sorted(values)
    if not ordered:
        return None
    rank = -(-len(ordered) * percent // 100)  # rounded up, in whole numbers
    return ordered[rank - 1]
