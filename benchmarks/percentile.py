"""Percentiles of measured values."""

import math
from collections.abc import Sequence


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that `share` (0 to 1) of `values` do not exceed.

    By nearest rank: always a value that was measured, and the largest for p99 of fewer than a
    hundred. Raises ValueError for no values. O(n log n).
    """
    if not values:
        raise ValueError("there is no percentile of no values")
    if not 0 <= share <= 1:
        raise ValueError(f"share must be between 0 and 1, not {share}")
    rank = max(1, math.ceil(round(share * len(values), 9)))
    return sorted(values)[rank - 1]


def spread(values: Sequence[float]) -> dict[str, float]:
    """Return p50, p99 and the largest, and how many there were."""
    return {
        "p50": percentile(values, 0.50),
        "p99": percentile(values, 0.99),
        "max": max(values),
        "n": len(values),
    }
