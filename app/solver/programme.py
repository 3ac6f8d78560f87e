"""Whole-number programmes of limits that weigh: solved by SCIP, with each limit rounded down too.

A limit as it stands lets four and a half machines stand where four do. So each is given scaled
and rounded down as well, in the sizes that occur; with these rows the programme without whole
numbers is nearly as tight as the one with them, and the first node is mostly the last.
Source: Chvátal, Edmonds polytopes and a hierarchy of combinatorial problems, 1973.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import ceil

from ortools.linear_solver.python import model_builder

MOST_NUMBERS = 25_000
"""A programme of more numbers is not begun: even its first relaxation would take too long."""
SIZES = 12
"""Sizes, the smallest ones, in which a limit is rounded."""
TIMES = (1, 2)
"""Each size is halved as well."""
SETTINGS = """\
limits/totalnodes = 1
propagating/probing/maxprerounds = 0
"""
"""Stop after the first node: its work is bounded, and unlike seconds the same on any machine.

Probing each number beforehand takes a fifth of the time and finds nothing in such programmes.
"""
TOLERANCE = 1e-6


class Programme:
    """Numbers from 0 up, known by their place; `values` are the best ones so far."""

    def __init__(self) -> None:
        self.values: list[int] = []
        self._most: list[int] = []
        self._model = model_builder.Model()
        self._numbers: list[model_builder.Variable] = []

    def number(self, most: int) -> int:
        """Add a number of at most `most` and return its place."""
        self._numbers.append(self._model.new_int_var(0, most, ""))
        self._most.append(most)
        self.values.append(0)
        return len(self.values) - 1

    def at_most(self, numbers: Sequence[int], weights: Sequence[int], *limits: int) -> None:
        """Bound a sum; weights are at least 0. Several limits are those of parts that share it."""
        for row, limit in _rows(weights, limits).items():
            most = (self._most[place] * weight for place, weight in zip(numbers, row, strict=True))
            if sum(most) > limit:
                self._model.add(self._sum(numbers, row) <= limit)

    def at_most_of_each(
        self, numbers: Sequence[int], rows: Iterable[tuple[Sequence[int], int]]
    ) -> None:
        """Bound several sums of the same numbers; of those with equal weights the least counts."""
        least: dict[tuple[int, ...], int] = {}
        for weights, limit in rows:
            key = tuple(weights)
            least[key] = min(limit, least.get(key, limit))
        for key, limit in least.items():
            self.at_most(numbers, key, limit)

    def covers(self, taken: Sequence[int], given: Sequence[int]) -> None:
        """Have no more taken than is given."""
        ones = self._sum(taken, [1] * len(taken)) - self._sum(given, [1] * len(given))
        self._model.add(ones <= 0)

    def minimise(self, weights: Mapping[int, int]) -> tuple[int, int]:
        """Bring a weighted sum of numbers down; return it and its lower bound.

        What is reached is a constraint of every later call.
        """
        total = self._sum([*weights], [*weights.values()])
        least = sum(min(0, weight) * self._most[place] for place, weight in weights.items())
        if any(weights.values()):
            least = max(least, self._improve(total, least))
        value = sum(weight * self.values[place] for place, weight in weights.items())
        self._model.add(total <= value)
        return value, least

    def _improve(self, total: model_builder.LinearExpr, least: int) -> int:
        """Search from the best numbers so far, keep what is found, and return a lower bound."""
        self._model.clear_hints()
        for variable, value in zip(self._numbers, self.values, strict=True):
            self._model.add_hint(variable, value)
        self._model.minimize(total)
        solver = model_builder.Solver("SCIP")
        solver.set_solver_specific_parameters(SETTINGS)
        status = solver.solve(self._model)
        if status not in {model_builder.SolveStatus.OPTIMAL, model_builder.SolveStatus.FEASIBLE}:
            return least
        self.values = [round(solver.value(variable)) for variable in self._numbers]
        bound = solver.best_objective_bound
        return ceil(bound - TOLERANCE * max(1.0, abs(bound)))

    def _sum(self, numbers: Sequence[int], weights: Sequence[int]) -> model_builder.LinearExpr:
        variables = [self._numbers[place] for place in numbers]
        return model_builder.LinearExpr.weighted_sum(variables, [*weights])


def _rows(weights: Sequence[int], limits: Sequence[int]) -> dict[tuple[int, ...], int]:
    """Return the sum's weights as they are and rounded, with the limit of each.

    Nothing for a sum that is always 0: that holds even where a limit is below 0.
    """
    sizes = sorted({weight for weight in weights if weight})
    scales = [(1, 1), *((times, size) for size in sizes[:SIZES] for times in TIMES)]
    rows: dict[tuple[int, ...], int] = {}
    for times, size in scales if sizes else ():
        row = tuple(weight * times // size for weight in weights)
        limit = sum(one * times // size for one in limits)
        rows[row] = min(limit, rows.get(row, limit))
    return rows
