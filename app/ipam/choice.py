"""Choose free places: in sequence, or at random near a process's home.

Nothing is taken here: the caller claims what was chosen, and marks it in the index
when the claim stands, or when it turns out that another process was first.
"""

import random
from collections.abc import Iterator
from enum import StrEnum

from app.ipam.bitmap import SpaceIndex
from app.ipam.errors import NoFreeBlock, SpaceExhausted

_WIDEST = 1 << 32
"""A range of all addresses of an IPv6 /64 is longer than `random.sample` takes."""


class Strategy(StrEnum):
    """How the next place of a space is picked."""

    sequential = "sequential"
    """The lowest free one: what people expect when they read a list."""

    random = "random"
    """One of a window of free ones: neighbours cannot be guessed and processes do not collide."""


def choose(
    index: SpaceIndex,
    count: int,
    *,
    strategy: Strategy,
    home: int,
    window: int,
    rng: random.Random,
) -> list[int]:
    """Return `count` distinct free places, ascending.

    `sequential` returns the lowest ones; `home` and `window` do not matter. `random`
    draws from the first `window` free places (at least `count`) at or after `home`,
    and goes on at the start of the space where the end is reached. A window as large
    as the space makes every free place equally likely.
    Cost: `count` look-ups in the index, whatever its size and fill.
    Raises SpaceExhausted when fewer than `count` are free.
    """
    free = index.free_count
    if count > free:
        raise SpaceExhausted(wanted=count, free=free)
    if strategy is Strategy.sequential:
        return list(_lowest(index, count))
    ahead = index.free_in(home, index.size)
    reach = min(max(min(window, _WIDEST), count), free)
    ranks = rng.sample(range(reach), count)
    return sorted(
        index.nth_free(rank, home) if rank < ahead else index.nth_free(rank - ahead)
        for rank in ranks
    )


def choose_block(index: SpaceIndex, size: int, *, home: int = 0) -> int:
    """Return the first place of an aligned run of `size` free ones: a /29 of addresses is 8.

    `size` is a power of two. Looks from `home` upwards, then from the start.
    Raises NoFreeBlock when no run is whole.
    """
    first = index.lowest_block(size, home)
    if first is None:
        first = index.lowest_block(size)
    if first is None:
        raise NoFreeBlock(wanted=size, free=index.free_count)
    return first


def _lowest(index: SpaceIndex, count: int) -> Iterator[int]:
    place = -1
    for _ in range(count):
        place = index.nth_free(0, place + 1)
        yield place
