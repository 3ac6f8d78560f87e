"""A batch made small: alike servers pooled, alike orders grouped, hopeless pairs left out."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from app.solver.inventory import Inventory
from app.solver.rules import eligible_rows, rules_of
from app.solver.score import Tiers, packed, tiers_of
from app.solver.want import ServerWant

Rows: TypeAlias = NDArray[np.intp]

COSTS = ("datacentre", "equivalence", "waste", "rack")
"""The tiers of `Tiers` that are minimised over a batch, in this order."""


class Group(NamedTuple):
    """Orders of one want and priority; `orders` are places in the batch, the oldest first."""

    want: ServerWant
    priority: int
    orders: tuple[int, ...]


class Arc(NamedTuple):
    """A pool may serve a group; `costs` are those of one machine, in the order of `COSTS`."""

    group: int
    pool: int
    costs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """A transportation problem: groups ask, pools supply, arcs connect."""

    groups: tuple[Group, ...]
    """Highest priority first, then by the oldest order."""
    pools: tuple[tuple[int, ...], ...]
    """Rows of the inventory; every server of a pool serves the same groups at the same costs."""
    arcs: tuple[Arc, ...]
    """By group, and the cheapest first within each."""


class Candidates(NamedTuple):
    """Eligible rows of a want, the best first; `keys` and `tiers` have an entry a row."""

    rows: Rows
    keys: NDArray[np.int64]
    tiers: Tiers


def problem_of(
    inventory: Inventory,
    orders: Sequence[tuple[UUID, ServerWant, int]],
    *,
    seed: int,
    keep_all: bool = False,
) -> Problem:
    """Return the batch with alike orders and servers put together.

    Nothing is lost: with n orders, no order needs more than its n best servers,
    because of those at most n - 1 go to others; `keep_all` keeps the others too, for where
    not all that are free can be had. Which of many equal servers those
    are is drawn by `seed`, alike for all wants. Time: a match for each distinct want,
    and a sort of the servers that any of them kept.
    """
    groups = _groups(orders)
    wants = list(dict.fromkeys(group.want for group in groups))
    drawn = drawn_by(inventory, seed)
    most = len(inventory.ids) if keep_all else len(orders)
    candidates = {want: candidates_of(inventory, want, drawn, most) for want in wants}
    pool_of = _pooled(len(inventory.ids), [candidates[want] for want in wants])
    members: dict[int, list[int]] = {}
    for row in np.flatnonzero(pool_of >= 0).tolist():
        members.setdefault(int(pool_of[row]), []).append(row)
    arcs = {want: _arcs(candidates[want], pool_of) for want in wants}
    return Problem(
        groups=groups,
        pools=tuple(tuple(members[pool]) for pool in range(len(members))),
        arcs=tuple(
            Arc(place, pool, costs)
            for place, group in enumerate(groups)
            for pool, costs in arcs[group.want]
        ),
    )


def _groups(orders: Sequence[tuple[UUID, ServerWant, int]]) -> tuple[Group, ...]:
    places: dict[tuple[int, ServerWant], list[int]] = {}
    for place, (_, want, priority) in enumerate(orders):
        places.setdefault((priority, want), []).append(place)
    groups = [Group(want, priority, tuple(at)) for (priority, want), at in places.items()]
    return tuple(sorted(groups, key=lambda group: (-group.priority, group.orders)))


def drawn_by(inventory: Inventory, seed: int) -> Rows:
    """Return a place for each row, at random: which of many equal servers comes first."""
    draw = list(range(len(inventory.ids)))
    random.Random(seed).shuffle(draw)  # noqa: S311 - chooses among equal machines, guards nothing
    return np.array(draw, dtype=np.intp)


def candidates_of(inventory: Inventory, want: ServerWant, drawn: Rows, most: int) -> Candidates:
    """Return the best rows for a want, equal ones in the order of `drawn`."""
    rows = eligible_rows(inventory, rules_of(inventory, want))
    rows = rows[np.argsort(drawn[rows])]
    tiers = tiers_of(inventory, want, rows)
    keys = packed(tiers)
    best = np.argsort(keys, kind="stable")[:most]
    return Candidates(rows[best], keys[best], Tiers(*(tier[best] for tier in tiers)))


def _pooled(size: int, candidates: Sequence[Candidates]) -> NDArray[np.intp]:
    """Return the pool of each row, numbered from 0; -1 for a row that nobody wants.

    Two servers stay together as long as every want ranks them alike.
    """
    pools = np.zeros(size, dtype=np.intp)
    for found in candidates:
        ranks = np.zeros(size, dtype=np.intp)
        ranks[found.rows] = np.unique(found.keys, return_inverse=True)[1] + 1
        # both factors are at most the number of servers: no overflow below 10^9 of them
        pools = np.unique(pools * (len(found.rows) + 1) + ranks, return_inverse=True)[1]
    wanted = np.zeros(size, dtype=np.bool_)
    for found in candidates:
        wanted[found.rows] = True
    numbers = np.full(size, -1, dtype=np.intp)
    numbers[wanted] = np.unique(pools[wanted], return_inverse=True)[1]
    return numbers


def _arcs(found: Candidates, pool_of: NDArray[np.intp]) -> list[tuple[int, tuple[int, ...]]]:
    pools, firsts = np.unique(pool_of[found.rows], return_index=True)
    costs = [getattr(found.tiers, name)[firsts].tolist() for name in COSTS]
    # candidates are sorted, so the first of a pool tells its place among the pools
    arcs = sorted(zip(firsts.tolist(), pools.tolist(), zip(*costs, strict=True), strict=True))
    return [(pool, cost) for _, pool, cost in arcs]
