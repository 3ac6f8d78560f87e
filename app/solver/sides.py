"""A batch with side rules: the plan without them, made to fit the racks.

The plan that ignores the racks is both where to start and the bound: servers of one pool
are worth the same to every order, so as long as each order finds one of its pool in a rack
that has room, nothing is lost and the plan is proven. Where racks are short, what each of them
gives is rationed first. Only what that leaves goes to CP-SAT.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

from app.solver.assign import MOST_ARCS, Assigned
from app.solver.bound import capacities, most_in_racks
from app.solver.handout import Batch, hand_out
from app.solver.inventory import Inventory
from app.solver.ledger import Asker, Ledger
from app.solver.pools import COSTS, Arc, Group, Problem, candidates_of, drawn_by
from app.solver.ration import ration
from app.solver.room import Room
from app.solver.search import Search
from app.solver.want import ServerWant

PRUNED = 32
"""Candidates that an order keeps where all of them would be too many for CP-SAT."""
ALIKE = 2
"""Of those, how many of one rack."""


class Fitted(NamedTuple):
    """A plan that keeps the side rules."""

    taken: dict[int, int]
    """Row of the inventory by place of the order."""
    result: Assigned
    """As `assign` returns it, with `spread` as the last value and bound."""


def fit(
    inventory: Inventory,
    problem: Problem,
    relaxed: Assigned,
    askers: Sequence[Asker],
    room: Room,
    *,
    seed: int,
    limit: float,
) -> Fitted:
    """Return a plan like `relaxed` that keeps the side rules, as good as the limit allows.

    `askers` are the client and VLANs of each order of the batch. Where orders of a client
    set different limits in a rack, the lowest holds for all of that client's.
    """
    batch = _batch(inventory, problem, askers, room, seed)
    taken = hand_out(batch, _pools_of(problem, relaxed, seed))
    levels = sorted({group.priority for group in problem.groups}, reverse=True)
    room_for = capacities(inventory, room, problem, askers)
    most = {level: most_in_racks(problem, level, room_for) for level in levels}
    best = (*(-bound for bound in most.values()), *relaxed.values[1:])
    if limit > 0 and batch.worth(taken) != best:
        rationed = ration(inventory, problem, room, askers)
        if rationed is not None:
            again = hand_out(batch, _pools_of(rationed.problem, rationed.result, seed))
            taken = min(taken, again, key=batch.worth)
            most = {level: min(most[level], rationed.most[level]) for level in levels}
            relaxed = rationed.result
    worth = batch.worth(taken)
    values = [len(taken), *worth[len(levels) :]]
    serves_most = worth[: len(levels)] == tuple(-bound for bound in most.values())
    if serves_most and values == relaxed.values == relaxed.bounds and not batch.shared(taken):
        # every tier is at its bound: there is nothing to search
        return Fitted(taken, Assigned([], [*values, 0], [*values, 0], proven=True))
    fine, is_whole = _arcs(batch, taken)
    flow = [int(taken.get(arc.group) == fine.pools[arc.pool][0]) for arc in fine.arcs]
    search = Search(fine, flow, kept=range(len(flow)), seed=seed, limit=limit, is_whole=is_whole)
    result = _searched(batch, fine, search, most, relaxed)
    served = zip(fine.arcs, result.flow, strict=True)
    return Fitted({arc.group: fine.pools[arc.pool][0] for arc, one in served if one}, result)


def _batch(
    inventory: Inventory, problem: Problem, askers: Sequence[Asker], room: Room, seed: int
) -> Batch:
    groups = _single(problem, len(askers))
    drawn, number = drawn_by(inventory, seed), len(inventory.ids)
    pool = [-1] * number
    for place, rows in enumerate(problem.pools):
        for row in rows:
            pool[row] = place
    costs: dict[ServerWant, dict[int, tuple[int, ...]]] = {
        group.want: {} for group in problem.groups
    }
    for arc in problem.arcs:
        costs[problem.groups[arc.group].want][arc.pool] = arc.costs
    return Batch(
        inventory,
        groups,
        askers,
        room,
        _caps(groups, askers),
        {want: candidates_of(inventory, want, drawn, number).rows for want in costs},
        pool,
        costs,
    )


def _single(problem: Problem, number: int) -> list[Group]:
    group_of = {place: group for group in problem.groups for place in group.orders}
    return [group_of[place]._replace(orders=(place,)) for place in range(number)]


def _caps(groups: Sequence[Group], askers: Sequence[Asker]) -> dict[str, int]:
    caps: dict[str, int] = {}
    for group, (client, _) in zip(groups, askers, strict=True):
        most = group.want.most_in_rack
        if client and most is not None:
            caps[client] = min(most, caps.get(client, most))
    return caps


def _pools_of(problem: Problem, relaxed: Assigned, seed: int) -> dict[int, list[int]]:
    """Return for each order that `relaxed` places the servers that would do as well."""
    rng = random.Random(seed)  # noqa: S311 - chooses among equal machines, guards nothing
    pools = [rng.sample(pool, len(pool)) for pool in problem.pools]
    waiting = [iter(group.orders) for group in problem.groups]
    return {
        place: pools[arc.pool]
        for arc, number in zip(problem.arcs, relaxed.flow, strict=True)
        for place in islice(waiting[arc.group], number)
    }


def _searched(
    batch: Batch, problem: Problem, search: Search, most: Mapping[int, int], relaxed: Assigned
) -> Assigned:
    """Drive the plan towards the bounds of the relaxed one, tier by tier.

    `most` is how many orders of a priority or above any plan can place, the highest first.
    """
    for capped, admitted in _limits(batch, problem):
        search.limit(capped, admitted)
    values, bounds = [0], [0]
    for level, bound in most.items():
        weights = [-int(batch.groups[arc.group].priority >= level) for arc in problem.arcs]
        value, least = search.minimise(weights, -bound)
        values, bounds = [-value], [-least]
    placed = values[0]
    # the relaxed plan bounds a tier only while nothing was lost to it in the tiers before
    follows = search.proven and placed == relaxed.values[0]
    for tier in range(len(COSTS)):
        best = relaxed.bounds[tier + 1] if follows else _least(batch, tier, placed)
        value, least = search.minimise([arc.costs[tier] for arc in problem.arcs], best)
        values.append(value)
        bounds.append(least)
        follows = follows and value == relaxed.values[tier + 1]
    value, least = search.minimise_excess(_shared(batch, problem))
    return Assigned(search.flow, [*values, value], [*bounds, least], search.proven)


def _least(batch: Batch, tier: int, placed: int) -> int:
    """Return a lower bound of a tier: its easiest orders, each served best and alone."""
    least = {
        want: min(cost[tier] for cost in costs.values())
        for want, costs in batch.costs.items()
        if costs
    }
    return sum(sorted(least[group.want] for group in batch.groups if group.want in least)[:placed])


def _arcs(batch: Batch, taken: Mapping[int, int]) -> tuple[Problem, bool]:
    """Return order by order the servers to choose from, and whether these are all there are."""
    sizes = sum(len(batch.rows[group.want]) for group in batch.groups)
    is_whole = sizes <= MOST_ARCS
    most = sizes if is_whole else min(PRUNED, MOST_ARCS // len(batch.groups))
    alike = sizes if is_whole else ALIKE
    ledger = batch.ledger()
    pools: dict[int, int] = {}
    arcs = []
    for place, group in enumerate(batch.groups):
        fitting = _fitting(batch, ledger, place, alike)
        rows = dict.fromkeys([*([taken[place]] if place in taken else []), *islice(fitting, most)])
        for row in rows:
            pool = pools.setdefault(row, len(pools))
            arcs.append(Arc(place, pool, batch.costs[group.want][batch.pool[row]]))
    return Problem(tuple(batch.groups), tuple((row,) for row in pools), tuple(arcs)), is_whole


def _fitting(batch: Batch, ledger: Ledger, place: int, alike: int) -> Iterator[int]:
    seen: defaultdict[int, int] = defaultdict(int)
    for row in batch.rows[batch.groups[place].want].tolist():
        rack = ledger.rack[row]
        if seen[rack] < alike and ledger.fits(row, batch.askers[place]):
            seen[rack] += 1
            yield row


def _limits(batch: Batch, problem: Problem) -> Iterator[tuple[dict[int, int], int]]:
    """Return what the racks admit, as weights by arc and their most; idle limits are left out."""
    ledger = batch.ledger()
    resources: defaultdict[tuple[int, int], dict[int, int]] = defaultdict(dict)
    clients: defaultdict[tuple[int, str], dict[int, int]] = defaultdict(dict)
    for number, arc in enumerate(problem.arcs):
        row, asker = problem.pools[arc.pool][0], batch.askers[arc.group]
        rack = ledger.rack[row]
        for resource, needed in enumerate(ledger.takes(row, asker)):
            if needed and rack >= 0:
                resources[rack, resource][number] = needed
        clients[rack, asker[0]][number] = 1
    for (rack, resource), weights in resources.items():
        if sum(weights.values()) > ledger.left[rack][resource]:
            yield weights, ledger.left[rack][resource]
    for (rack, client), weights in clients.items():
        capped = ledger.capped(rack, client)
        if capped is not None and len(weights) > capped:
            yield weights, capped


def _shared(batch: Batch, problem: Problem) -> list[tuple[list[int], int]]:
    """Return the arcs of each client's spread orders into each rack, and how many are free.

    One machine is, where the client has none yet.
    """
    ledger = batch.ledger()
    parts: defaultdict[tuple[int, str], list[int]] = defaultdict(list)
    for number, arc in enumerate(problem.arcs):
        client = batch.askers[arc.group][0]
        rack = ledger.rack[problem.pools[arc.pool][0]]
        if rack >= 0 and batch.is_spread(arc.group):
            parts[rack, client].append(number)
    return [(arcs, int(ledger.there[key[0]][key[1]] == 0)) for key, arcs in parts.items()]
