"""Which offsets of a space are free: two bitmaps behind one Protocol.

A space is `size` numbered places: the addresses of an IPv4 prefix, the VLAN ids of
a group, the /64s of an IPv6 prefix. The bitmap is a hint that a process keeps over
the claims; the claims' primary key is what decides, so a stale bit costs a retry
and never a duplicate.

Bitmaps are roaring (https://roaringbitmap.org): chunks of 65,536 places, each an
array, a run list or 8 KB of bits. In the costs below `c` is the number of chunks in
use (256 for a full /8), `n` the size of the space and `u` the number of taken places.
"""

from collections.abc import Iterable
from copy import copy
from itertools import islice
from typing import Protocol, Self, TypeAlias, cast

from pyroaring import BitMap, BitMap64

_DENSE_LIMIT = 1 << 32
_SPARSE_LIMIT = 1 << 63
_PROBES = 64
_STEPS = 8
MOST_APART = 10_000

Places: TypeAlias = frozenset[int]


class SpaceIndex(Protocol):
    """The free places of a space, numbered 0 to `size - 1`.

    Places outside the space are never free; taking or giving one back raises
    ValueError.
    """

    @property
    def size(self) -> int:
        """How many places there are, free or not."""
        ...

    @property
    def free_count(self) -> int:
        """How many places are free."""
        ...

    def without(self, spans: Iterable[tuple[int, int]]) -> "SpaceIndex":
        """Return a copy in which the places from first to last of each span are taken."""
        ...

    def is_free(self, offset: int) -> bool:
        """Return whether the place is free."""
        ...

    def take(self, offset: int) -> bool:
        """Mark one place taken; return whether it was free before."""
        ...

    def give_back(self, offset: int) -> bool:
        """Mark one place free; return whether it was taken before."""
        ...

    def apart(self, other: Self) -> tuple[Places, Places]:
        """Return the lowest places that are taken only here, and only in `other`.

        At most `MOST_APART` of each.
        """
        ...

    def free_in(self, start: int, stop: int) -> int:
        """Return how many places of `start` to `stop - 1` are free."""
        ...

    def lowest_free(self, after: int = 0) -> int | None:
        """Return the lowest free place that is `after` or more, or None."""
        ...

    def nth_free(self, rank: int, after: int = 0) -> int:
        """Return the free place that has `rank` free ones between `after` and itself.

        Rank 0 is the lowest that is `after` or more. Raises IndexError when there
        are not so many.
        """
        ...

    def lowest_block(self, length: int, after: int = 0) -> int | None:
        """Return the lowest multiple of `length`, `after` or more, that starts a free run.

        All `length` places of the run are free; `length` is a power of two. None
        when there is no such run.
        """
        ...


class FreeMap:
    """The free places themselves, for spaces where many are taken (IPv4, VLANs).

    Memory: runs while the space is empty, at most n / 8 bytes when it is fragmented
    (2 MB for a /8). `size` is at most 2^32.
    """

    __slots__ = ("_free", "_size")

    def __init__(self, size: int, taken: Iterable[int] = ()) -> None:
        """O(c + u); 1M taken places take about 0.2 s."""
        if not 0 < size <= _DENSE_LIMIT:
            raise ValueError(f"a FreeMap holds 1 to 2^32 places, not {size}")
        self._size = size
        self._free = BitMap()
        self._free.add_range(0, size)
        self._free -= BitMap(taken)

    @property
    def size(self) -> int:
        return self._size

    @property
    def free_count(self) -> int:
        """O(c)."""
        return len(self._free)

    def without(self, spans: Iterable[tuple[int, int]]) -> "FreeMap":
        """O(n / 8) bytes are copied."""
        free = self._free.copy()
        for first, last in spans:
            free.remove_range(first, min(last + 1, self._size))
        rest = copy(self)
        rest._free = free  # noqa: SLF001 - of its own class
        return rest

    def is_free(self, offset: int) -> bool:
        """O(log c)."""
        return 0 <= offset < self._size and offset in self._free

    def take(self, offset: int) -> bool:
        """O(log c), and at most one chunk is rewritten."""
        _check(offset, self._size)
        if offset not in self._free:
            return False
        self._free.remove(offset)
        return True

    def give_back(self, offset: int) -> bool:
        """O(log c), and at most one chunk is rewritten."""
        _check(offset, self._size)
        if offset in self._free:
            return False
        self._free.add(offset)
        return True

    def apart(self, other: Self) -> tuple[Places, Places]:
        """O(n / 8) bytes are read."""
        return _some(other._free - self._free), _some(self._free - other._free)

    def free_in(self, start: int, stop: int) -> int:
        """O(c)."""
        start, stop = max(start, 0), min(stop, self._size)
        return self._free.range_cardinality(start, stop) if start < stop else 0

    def lowest_free(self, after: int = 0) -> int | None:
        """O(log c)."""
        return _next(self._free, max(after, 0), self._size)

    def nth_free(self, rank: int, after: int = 0) -> int:
        """O(c): roaring's `select`."""
        place = rank + self.free_in(0, after)
        if rank < 0 or place >= len(self._free):
            raise IndexError(f"no free place of rank {rank} after {after}")
        return self._free[place]

    def lowest_block(self, length: int, after: int = 0) -> int | None:
        """O(log c) where a block is near; else k = log2(length) intersections, O(k * n / 64)."""
        _check_block(length)
        at = -(-max(after, 0) // length) * length
        for _ in range(_PROBES):
            free = self.lowest_free(at)
            if free is None:
                return None
            at = free // length * length
            if self.free_in(at, at + length) == length:
                return at
            at += length
        runs = self._free
        for shift in (1 << bit for bit in range(length.bit_length() - 1)):
            # after this step, a place is in `runs` if 2 * shift free places begin there
            runs = runs & runs.shift(-shift)
        return _next(runs & BitMap(range(at, self._size, length)), at, self._size)


class UsedMap:
    """The taken places, for spaces that are nearly empty (the 2^32 /64s of an IPv6 /32).

    Memory: O(u). `size` is at most 2^63; above 2^32
    the bitmap is a 64-bit one.
    """

    __slots__ = ("_size", "_used")

    def __init__(self, size: int, taken: Iterable[int] = ()) -> None:
        """O(u)."""
        if not 0 < size <= _SPARSE_LIMIT:
            raise ValueError(f"a UsedMap holds 1 to 2^63 places, not {size}")
        self._size = size
        used = BitMap if size <= _DENSE_LIMIT else BitMap64
        self._used = used(offset for offset in taken if 0 <= offset < size)

    @property
    def size(self) -> int:
        return self._size

    @property
    def free_count(self) -> int:
        """O(c)."""
        return self._size - len(self._used)

    def without(self, spans: Iterable[tuple[int, int]]) -> "UsedMap":
        """O(u), and a chunk for each 65,536 places of the spans."""
        used = self._used.copy()
        for first, last in spans:
            used.add_range(first, min(last + 1, self._size))
        rest = copy(self)
        rest._used = used  # noqa: SLF001 - of its own class
        return rest

    def is_free(self, offset: int) -> bool:
        """O(log c)."""
        return 0 <= offset < self._size and offset not in self._used

    def take(self, offset: int) -> bool:
        """O(log c), and at most one chunk is rewritten."""
        _check(offset, self._size)
        if offset in self._used:
            return False
        self._used.add(offset)
        return True

    def give_back(self, offset: int) -> bool:
        """O(log c), and at most one chunk is rewritten."""
        _check(offset, self._size)
        if offset not in self._used:
            return False
        self._used.remove(offset)
        return True

    def apart(self, other: Self) -> tuple[Places, Places]:
        """O(u)."""
        here, there = cast("BitMap", self._used), cast("BitMap", other._used)
        return _some(here - there), _some(there - here)

    def free_in(self, start: int, stop: int) -> int:
        """O(log c), and the chunks between."""
        start, stop = max(start, 0), min(stop, self._size)
        return stop - start - self._used.range_cardinality(start, stop) if start < stop else 0

    def lowest_free(self, after: int = 0) -> int | None:
        """O(log r * log c), r being the length of the taken run that begins at `after`."""
        try:
            return self.nth_free(0, after)
        except IndexError:
            return None

    def nth_free(self, rank: int, after: int = 0) -> int:
        """O(log r * (log c + r / 65,536)), r being the distance to the place that is returned.

        Goes on by as many places as are taken on the way, which is soon where few are. Otherwise
        doubles a reach until it holds enough free places, then bisects.
        """
        if rank < 0:
            raise IndexError(f"a rank is 0 or more, not {rank}")
        after = max(after, 0)
        low = after + rank
        for _ in range(_STEPS):
            missed = rank + 1 - self.free_in(after, low + 1)
            if not missed:
                return low
            low += missed
        # the place sought is one of `low` to `high - 1`
        high = low + 1
        while self.free_in(after, high) <= rank:
            if high >= self._size:
                raise IndexError(f"no free place of rank {rank} after {after}")
            low, high = high, 2 * high - after
        while high - low > 1:
            middle = (low + high) // 2
            if self.free_in(after, middle) > rank:
                high = middle
            else:
                low = middle
        return low

    def lowest_block(self, length: int, after: int = 0) -> int | None:
        """O(b log c), b being the blocks passed over: each holds a taken place."""
        _check_block(length)
        at = -(-max(after, 0) // length) * length
        while at + length <= self._size:
            used = _next(self._used, at, self._size)
            if used is None or used >= at + length:
                return at
            at = (used // length + 1) * length
        return None


def _some(places: Iterable[int]) -> Places:
    return frozenset(islice(places, MOST_APART))


def _next(bitmap: BitMap | BitMap64, at: int, size: int) -> int | None:
    if at >= size:
        # a 32-bit bitmap cannot even be asked about 2^32
        return None
    try:
        return bitmap.next_set_bit(at)
    except ValueError:
        return None


def _check(offset: int, size: int) -> None:
    if not 0 <= offset < size:
        raise ValueError(f"place {offset} is outside a space of {size}")


def _check_block(length: int) -> None:
    if length < 1 or length & (length - 1):
        raise ValueError(f"a block's length is a power of two, not {length}")
