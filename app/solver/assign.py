"""Solve the transportation problem of a batch: greedy, max-flow bound, then CP-SAT by tiers."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ortools.graph.python import max_flow

from app.solver.pools import COSTS, Problem
from app.solver.search import Search

MOST_ARCS = 20_000
"""CP-SAT is given no more numbers to choose than about this many."""


@dataclass(slots=True)
class Assigned:
    """How many machines go along each arc, and how good that is."""

    flow: list[int]
    values: list[int]
    """Number placed, then the sum of each of `COSTS`."""
    bounds: list[int]
    """What no plan that equals this one in the tiers before can better."""
    proven: bool


def assign(problem: Problem, *, seed: int, deterministic_limit: float) -> Assigned:
    """Return the best plan found within the limit; see `batch.solve` for the objective.

    The greedy plan is the incumbent throughout: a tier that it already brings to its
    bound is not searched, and when the limit ends the search the incumbent stands.
    """
    flow = greedy(problem)
    kept = _kept(problem, flow)
    search = Search(problem, flow, kept=kept, seed=seed, limit=deterministic_limit)
    placed = bound = 0
    for level in sorted({group.priority for group in problem.groups}, reverse=True):
        weights = [int(problem.groups[arc.group].priority >= level) for arc in problem.arcs]
        bound = most_placed(problem, level)
        placed = -search.minimise([-weight for weight in weights], -bound)[0]
    sums = [
        search.minimise(
            [arc.costs[place] for arc in problem.arcs], _cheapest(problem, place, placed)
        )
        for place in range(len(COSTS))
    ]
    return Assigned(
        flow=search.flow,
        values=[placed, *(value for value, _ in sums)],
        bounds=[bound, *(least for _, least in sums)],
        proven=search.proven,
    )


def greedy(problem: Problem) -> list[int]:
    """Return a good plan at once: by priority, those with the least choice first. O(arcs)."""
    left = [len(pool) for pool in problem.pools]
    choice = [0] * len(problem.groups)
    arcs_of: list[list[int]] = [[] for _ in problem.groups]
    for place, arc in enumerate(problem.arcs):
        choice[arc.group] += left[arc.pool]
        arcs_of[arc.group].append(place)
    flow = [0] * len(problem.arcs)
    groups = list(enumerate(problem.groups))
    for number, group in sorted(groups, key=lambda entry: (-entry[1].priority, choice[entry[0]])):
        wanting = len(group.orders)
        for place in arcs_of[number]:
            pool = problem.arcs[place].pool
            flow[place] = min(wanting, left[pool])
            wanting -= flow[place]
            left[pool] -= flow[place]
    return flow


def most_placed(problem: Problem, level: int) -> int:
    """Return how many orders of at least this priority any plan can place: a maximum flow.

    The sets of orders that can be placed are a matroid, so serving as many as possible
    of the higher priorities never costs the total: every level reaches its own maximum.
    """
    groups, pools = len(problem.groups), len(problem.pools)
    source, sink = groups + pools, groups + pools + 1
    arcs = [arc for arc in problem.arcs if problem.groups[arc.group].priority >= level]
    asked = [len(group.orders) for group in problem.groups]
    supply = [len(pool) for pool in problem.pools]
    network = max_flow.SimpleMaxFlow()
    network.add_arcs_with_capacity(
        np.array([*[source] * groups, *(arc.group for arc in arcs), *range(groups, source)]),
        np.array([*range(groups), *(groups + arc.pool for arc in arcs), *[sink] * pools]),
        np.array([*asked, *(supply[arc.pool] for arc in arcs), *supply]),
    )
    network.solve(source, sink)
    return int(network.optimal_flow())


def _cheapest(problem: Problem, cost: int, placed: int) -> int:
    """Return a lower bound of a cost: that of the `placed` easiest orders, each served best."""
    least: dict[int, int] = {}
    for arc in problem.arcs:
        least[arc.group] = min(arc.costs[cost], least.get(arc.group, arc.costs[cost]))
    easiest = sorted(value for group, value in least.items() for _ in problem.groups[group].orders)
    return sum(easiest[:placed])


def _kept(problem: Problem, flow: Sequence[int]) -> list[int]:
    """Return the arcs to search: all, or each group's cheapest and those that greedy uses."""
    if len(problem.arcs) <= MOST_ARCS:
        return list(range(len(problem.arcs)))
    quota = MOST_ARCS // len(problem.groups)
    seen = [0] * len(problem.groups)
    kept = []
    for place, arc in enumerate(problem.arcs):
        if seen[arc.group] < quota or flow[place]:
            kept.append(place)
        seen[arc.group] += 1
    return kept
