"""Sets of VLAN ids as switches write them: `10,20-30`. Pure."""

from collections.abc import Iterable

FIRST, LAST = 1, 4094
"""Ids that may be used (IEEE 802.1Q): 0 is no VLAN, 4095 is reserved."""


def read_vids(text: str) -> frozenset[int]:
    """Return the ids of `10,20-30`, in which "" and `none` are none and `all` is every one.

    Raises ValueError for what is no such list.
    """
    words = text.strip().lower().replace(" ", "")
    if words in {"", "none"}:
        return frozenset()
    if words == "all":
        return frozenset(range(FIRST, LAST + 1))
    found: set[int] = set()
    for part in words.split(","):
        low, _, high = part.partition("-")
        first, last = int(low), int(high or low)
        if not FIRST <= first <= last <= LAST:
            raise ValueError(f"{part} is no VLAN id, nor a range of them")
        found.update(range(first, last + 1))
    return frozenset(found)


def write_vids(vids: Iterable[int]) -> str:
    """Return ids in their canonical form: sorted, two or more in a row as a range."""
    runs: list[list[int]] = []
    for vid in sorted(set(vids)):
        if runs and vid == runs[-1][1] + 1:
            runs[-1][1] = vid
        else:
            runs.append([vid, vid])
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in runs)
