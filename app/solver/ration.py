"""What each rack gives when racks are short: pools and racks together, tier by tier.

A pool is cut into *cells*, its machines of one rack that take alike. How many orders of a group
get a machine of a pool, and how many machines of a cell go, are chosen together, so that the
racks' limits are kept while the tiers of the batch are minimised one after the other.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeAlias

from app.solver.assign import Assigned
from app.solver.inventory import Inventory
from app.solver.ledger import Asker
from app.solver.pools import COSTS, Arc, Group, Problem
from app.solver.programme import MOST_NUMBERS, Programme
from app.solver.room import RESOURCES, Room, takes

Cell: TypeAlias = tuple[int, int, tuple[int, ...]]
"""A pool, a rack, and what one machine takes of each of `RESOURCES`."""


class Rationed(NamedTuple):
    """A plan of pools and racks; who gets which machine, and clients' limits, are open."""

    problem: Problem
    """As it was given, but alike groups are one, and pools hold only what racks give."""
    result: Assigned
    """As `assign` returns it, for that problem."""
    most: Mapping[int, int]
    """Orders of at least this priority that no plan can exceed without one of a higher one."""


def ration(
    inventory: Inventory, problem: Problem, room: Room, askers: Sequence[Asker]
) -> Rationed | None:
    """Return the best plan that racks admit, and bounds; None where the batch is too large.

    Orders are taken to want as few VLANs as the most modest one of the batch, and clients to
    have no limit in a rack: so the bounds hold for every plan that keeps the side rules. Time:
    about 2 s for 1,000 orders and 10,000 servers in 250 racks that are all short.
    """
    vlans = min((asked for _, asked in askers), default=0)
    problem = _merged(problem)
    cells = _cells(problem, room, takes(inventory, vlans).tolist())
    if len(cells) + len(problem.arcs) > MOST_NUMBERS:
        return None
    programme = Programme()
    number = {cell: programme.number(len(rows)) for cell, rows in cells.items() if rows}
    arcs = [
        programme.number(min(len(problem.groups[arc.group].orders), len(problem.pools[arc.pool])))
        for arc in problem.arcs
    ]
    _connect(programme, problem, arcs, number)
    _bound_racks(programme, room, number)
    values, bounds, most = [0], [0], {}
    for level in sorted({group.priority for group in problem.groups}, reverse=True):
        placed = {
            place: -1
            for place, arc in zip(arcs, problem.arcs, strict=True)
            if problem.groups[arc.group].priority >= level
        }
        value, least = programme.minimise(placed)
        values, bounds, most[level] = [-value], [-least], -least
    for tier in range(len(COSTS)):
        costs = {place: arc.costs[tier] for place, arc in zip(arcs, problem.arcs, strict=True)}
        value, least = programme.minimise(costs)
        values.append(value)
        bounds.append(least)
    given: list[list[int]] = [[] for _ in problem.pools]
    for cell, place in number.items():
        given[cell[0]] += cells[cell][: programme.values[place]]
    flow = [programme.values[place] for place in arcs]
    return Rationed(
        Problem(problem.groups, tuple(map(tuple, given)), problem.arcs),
        Assigned(flow, values, bounds, values == bounds),
        most,
    )


def _merged(problem: Problem) -> Problem:
    """Return the problem with those groups as one that the same pools serve at the same costs."""
    served: defaultdict[int, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
    for arc in problem.arcs:
        served[arc.group].append((arc.pool, arc.costs))
    alike: defaultdict[tuple[int, tuple[tuple[int, tuple[int, ...]], ...]], list[Group]] = (
        defaultdict(list)
    )
    for number, group in enumerate(problem.groups):
        alike[group.priority, tuple(served[number])].append(group)
    return Problem(
        groups=tuple(
            some[0]._replace(orders=tuple(sorted(place for one in some for place in one.orders)))
            for some in alike.values()
        ),
        pools=problem.pools,
        arcs=tuple(
            Arc(number, pool, costs)
            for number, (_, pools) in enumerate(alike)
            for pool, costs in pools
        ),
    )


def _cells(
    problem: Problem, room: Room, takes_of: Sequence[Sequence[int]]
) -> dict[Cell, tuple[int, ...]]:
    """Return the rows of each cell, cut to what each resource of its rack alone admits."""
    found: defaultdict[Cell, list[int]] = defaultdict(list)
    for number, pool in enumerate(problem.pools):
        for row in pool:
            found[number, int(room.rack[row]), tuple(takes_of[row])].append(row)
    left = room.left.tolist()
    return {
        cell: tuple(rows[: min(max(has, 0) // one for one, has in _limits(cell, left))])
        if any(cell[2])
        else tuple(rows)
        for cell, rows in found.items()
    }


def _limits(cell: Cell, left: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    _, rack, needed = cell
    return ((one, has) for one, has in zip(needed, left[rack], strict=True) if one)


def _connect(
    programme: Programme, problem: Problem, arcs: Sequence[int], number: Mapping[Cell, int]
) -> None:
    """Add that no group gets more than it asks for, and no pool gives more than its cells."""
    asked: defaultdict[int, list[int]] = defaultdict(list)
    drawn: defaultdict[int, list[int]] = defaultdict(list)
    cells: defaultdict[int, list[int]] = defaultdict(list)
    for arc, place in zip(problem.arcs, arcs, strict=True):
        asked[arc.group].append(place)
        drawn[arc.pool].append(place)
    for cell, place in number.items():
        cells[cell[0]].append(place)
    for group, places in asked.items():
        programme.at_most(places, [1] * len(places), len(problem.groups[group].orders))
    for pool, places in drawn.items():
        programme.covers(places, cells[pool])


def _bound_racks(programme: Programme, room: Room, number: Mapping[Cell, int]) -> None:
    of_rack: defaultdict[int, list[Cell]] = defaultdict(list)
    for cell in number:
        of_rack[cell[1]].append(cell)
    left = room.left.tolist()
    for rack, cells in of_rack.items():
        programme.at_most_of_each(
            [number[cell] for cell in cells],
            (
                ([cell[2][resource] for cell in cells], left[rack][resource])
                for resource in range(len(RESOURCES))
            ),
        )
