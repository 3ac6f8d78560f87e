"""What each rack gives when racks are short: a whole-number programme over pools and racks.

A pool is cut into *cells*, its machines of one rack that take alike. How many orders of a group
get a machine of a pool, and how many machines of a cell go, are chosen together, so that the
racks' limits are kept while the tiers of the batch are minimised one after the other.

A rack's limit as it stands lets four and a half machines stand where four do, so each is given
rounded down as well, in the sizes of the machines there; with these rows the programme without
whole numbers is nearly as tight as the one with them, and SCIP seldom branches.
Source: Chvátal, Edmonds polytopes and a hierarchy of combinatorial problems, 1973.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from typing import NamedTuple, TypeAlias

from ortools.linear_solver.python import model_builder

from app.solver.assign import Assigned
from app.solver.inventory import Inventory
from app.solver.ledger import Asker
from app.solver.pools import COSTS, Arc, Group, Problem
from app.solver.room import RESOURCES, Room, takes

MOST_NUMBERS = 25_000
"""A programme of more numbers is not begun: even its first relaxation would take too long."""
SIZES = 6
"""Sizes of machines, the smallest ones, by which a rack's limits are rounded."""
TIMES = (1, 2)
"""Each size is halved as well."""
SETTINGS = "limits/totalnodes = 1\n"
"""Stop after the first node: its work is bounded, and unlike seconds the same on any machine."""
TOLERANCE = 1e-6

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
    programme = _Programme(problem, room, cells)
    values, bounds, most = [0], [0], {}
    for level in sorted({group.priority for group in problem.groups}, reverse=True):
        weights = [-int(problem.groups[arc.group].priority >= level) for arc in problem.arcs]
        value, least = programme.minimise(weights)
        values, bounds, most[level] = [-value], [-least], -least
    for tier in range(len(COSTS)):
        value, least = programme.minimise([arc.costs[tier] for arc in problem.arcs])
        values.append(value)
        bounds.append(least)
    given = Problem(problem.groups, programme.given(), problem.arcs)
    return Rationed(given, Assigned(programme.flow, values, bounds, values == bounds), most)


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


class _Programme:
    """The model; `flow` is the best plan so far along the problem's arcs."""

    def __init__(self, problem: Problem, room: Room, cells: Mapping[Cell, tuple[int, ...]]) -> None:
        self.flow = [0] * len(problem.arcs)
        self._problem = problem
        self._cells = cells
        self._given = dict.fromkeys(cells, 0)
        self._model = model_builder.Model()  # type: ignore[no-untyped-call]  # the library left it so
        self._cell = {
            cell: self._model.new_int_var(0, len(rows), "") for cell, rows in cells.items() if rows
        }
        self._arc = [
            self._model.new_int_var(
                0, min(len(problem.groups[arc.group].orders), len(problem.pools[arc.pool])), ""
            )
            for arc in problem.arcs
        ]
        self._connect()
        self._bound_racks(room)

    def minimise(self, weights: Sequence[int]) -> tuple[int, int]:
        """Bring a weighted sum of the flow down; return it and its lower bound.

        What is reached is a constraint of every later call.
        """
        total = model_builder.LinearExpr.weighted_sum(self._arc, [*weights])
        least = min(0, *weights) * sum(len(group.orders) for group in self._problem.groups)
        if any(weights):
            least = max(least, self._improve(total, least))
        value = sum(weight * one for weight, one in zip(weights, self.flow, strict=True))
        self._model.add(total <= value)
        return value, least

    def given(self) -> tuple[tuple[int, ...], ...]:
        """Return the rows of each pool that racks give."""
        pools: list[list[int]] = [[] for _ in self._problem.pools]
        for cell, number in self._given.items():
            pools[cell[0]] += self._cells[cell][:number]
        return tuple(map(tuple, pools))

    def _improve(self, total: model_builder.LinearExprT, least: int) -> int:
        """Search from the plan so far, keep what is found, and return a lower bound."""
        self._model.clear_hints()  # type: ignore[no-untyped-call]
        for arc, number in zip(self._arc, self.flow, strict=True):
            self._model.add_hint(arc, number)
        for cell, variable in self._cell.items():
            self._model.add_hint(variable, self._given[cell])
        self._model.minimize(total)
        solver = model_builder.Solver("SCIP")
        solver.set_solver_specific_parameters(SETTINGS)
        status = solver.solve(self._model)
        if status not in {model_builder.SolveStatus.OPTIMAL, model_builder.SolveStatus.FEASIBLE}:
            return least
        self.flow = [round(solver.value(variable)) for variable in self._arc]
        self._given |= {cell: round(solver.value(one)) for cell, one in self._cell.items()}
        bound = solver.best_objective_bound
        return ceil(bound - TOLERANCE * max(1.0, abs(bound)))

    def _connect(self) -> None:
        """Add that no group gets more than it asks for, and no pool gives more than its cells."""
        asked: defaultdict[int, list[model_builder.Variable]] = defaultdict(list)
        drawn: defaultdict[int, list[model_builder.Variable]] = defaultdict(list)
        cells: defaultdict[int, list[model_builder.Variable]] = defaultdict(list)
        for arc, variable in zip(self._problem.arcs, self._arc, strict=True):
            asked[arc.group].append(variable)
            drawn[arc.pool].append(variable)
        for cell, variable in self._cell.items():
            cells[cell[0]].append(variable)
        total = model_builder.LinearExpr.sum
        for group, variables in asked.items():
            self._model.add(total(variables) <= len(self._problem.groups[group].orders))
        for pool, variables in drawn.items():
            self._model.add(total(variables) <= total(cells[pool]))

    def _bound_racks(self, room: Room) -> None:
        of_rack: defaultdict[int, list[Cell]] = defaultdict(list)
        for cell in self._cell:
            of_rack[cell[1]].append(cell)
        for rack, cells in of_rack.items():
            variables = [self._cell[cell] for cell in cells]
            most = [len(self._cells[cell]) for cell in cells]
            for weights, limit in _rows(cells, room.left[rack].tolist()).items():
                if sum(one * number for one, number in zip(weights, most, strict=True)) > limit:
                    expression = model_builder.LinearExpr.weighted_sum(variables, [*weights])
                    self._model.add(expression <= limit)


def _rows(cells: Sequence[Cell], left: Sequence[int]) -> dict[tuple[int, ...], int]:
    """Return what bounds the numbers of a rack's cells: the least limit by weights."""
    rows: dict[tuple[int, ...], int] = {}
    for resource in range(len(RESOURCES)):
        weights, limit = [cell[2][resource] for cell in cells], left[resource]
        if not any(weights):
            continue  # what takes nothing stands even where the limit is exceeded
        sizes = sorted({weight for weight in weights if weight})[:SIZES]
        scales = [(1, 1), *((times, size) for size in sizes for times in TIMES)]
        for times, size in scales:
            scaled = tuple(weight * times // size for weight in weights)
            rows[scaled] = min(limit * times // size, rows.get(scaled, limit * times // size))
    return rows
