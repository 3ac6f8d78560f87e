"""Search a transportation problem by CP-SAT from a plan that is known, tier by tier."""

from collections.abc import Callable, Mapping, Sequence

from ortools.sat.python import cp_model

from app.solver.pools import Arc, Problem

_NO_BOUND = -(1 << 62)


class Search:
    """A CP-SAT model whose objectives are minimised one after the other.

    `flow` is the best plan so far, `proven` whether it is known to be the best of all.
    `kept` are the arcs that may be used, every arc that `flow` uses among them. `is_whole`
    tells that no arc was left out, so what the search proves holds for the problem.
    """

    def __init__(
        self,
        problem: Problem,
        flow: list[int],
        *,
        kept: Sequence[int],
        seed: int,
        limit: float,
        is_whole: bool = True,
    ) -> None:
        self.flow = flow
        self.proven = True
        self._kept = kept
        self._index = {arc: place for place, arc in enumerate(kept)}
        self._whole = is_whole and len(kept) == len(problem.arcs)
        self._left = limit
        self._seed = seed
        self._model = cp_model.CpModel()
        self._number: list[cp_model.IntVar] = []
        self._excess: list[tuple[cp_model.IntVar, Sequence[int], int]] = []
        asked: list[list[cp_model.IntVar]] = [[] for _ in problem.groups]
        supplied: list[list[cp_model.IntVar]] = [[] for _ in problem.pools]
        for arc in (problem.arcs[place] for place in kept):
            variable = self._model.new_int_var(0, _most(problem, arc), "")
            self._number.append(variable)
            asked[arc.group].append(variable)
            supplied[arc.pool].append(variable)
        for variables, group in zip(asked, problem.groups, strict=True):
            self._model.add(cp_model.LinearExpr.sum(variables) <= len(group.orders))
        for variables, pool in zip(supplied, problem.pools, strict=True):
            self._model.add(cp_model.LinearExpr.sum(variables) <= len(pool))

    def limit(self, weights: Mapping[int, int], most: int) -> None:
        """Bound a weighted sum of the flow along some arcs, which must be kept ones."""
        numbers = [self._on(arc) for arc in weights]
        self._model.add(cp_model.LinearExpr.weighted_sum(numbers, [*weights.values()]) <= most)

    def minimise_excess(self, parts: Sequence[tuple[Sequence[int], int]]) -> tuple[int, int]:
        """Bring down by how much each part's flow exceeds what is free there, all together.

        A part is its arcs, which must be kept ones, and the flow that is free.
        """
        for arcs, free in parts:
            excess = self._model.new_int_var(0, len(arcs), "")
            self._model.add(excess >= cp_model.LinearExpr.sum([self._on(a) for a in arcs]) - free)
            self._excess.append((excess, arcs, free))
        total = cp_model.LinearExpr.sum([excess for excess, _, _ in self._excess])
        return self._lower(total, self._exceeded, 0)

    def minimise(self, weights: Sequence[int], least: int) -> tuple[int, int]:
        """Bring a weighted sum of the flow down; return it and its lower bound.

        `least` is a bound that is known already. What is reached is a constraint of
        every later call.
        """
        total = cp_model.LinearExpr.weighted_sum(
            self._number, [weights[place] for place in self._kept]
        )
        return self._lower(total, lambda: self._value(weights), least)

    def _lower(
        self, total: cp_model.LinearExprT, worth: Callable[[], int], least: int
    ) -> tuple[int, int]:
        bound = least
        if worth() > least and self._left > 0:
            bound = max(bound, self._improve(total, worth))
        value = worth()
        self.proven = self.proven and value == bound
        self._model.add(total <= value)
        return value, bound

    def _improve(self, total: cp_model.LinearExprT, worth: Callable[[], int]) -> int:
        """Search from the incumbent on, keep what is better, and return a lower bound."""
        self._model.minimize(total)
        self._model.clear_hints()
        for place, variable in zip(self._kept, self._number, strict=True):
            self._model.add_hint(variable, self.flow[place])
        for variable, arcs, free in self._excess:
            self._model.add_hint(variable, self._over(arcs, free))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = self._seed % (1 << 31)
        # the linear relaxation is whole-numbered (transportation): solve that, and don't presolve
        solver.parameters.linearization_level = 2
        solver.parameters.cp_model_presolve = False
        solver.parameters.max_deterministic_time = self._left
        status = solver.solve(self._model)
        self._left -= solver.deterministic_time
        if status not in {cp_model.OPTIMAL, cp_model.FEASIBLE}:
            return _NO_BOUND
        before, value = self.flow, worth()
        self.flow = [0] * len(before)
        for place, variable in zip(self._kept, self._number, strict=True):
            self.flow[place] = solver.value(variable)
        if worth() >= value:
            self.flow = before
        # what was left out could be better than the best of what was searched
        return round(solver.best_objective_bound) if self._whole else _NO_BOUND

    def _on(self, arc: int) -> cp_model.IntVar:
        return self._number[self._index[arc]]

    def _over(self, arcs: Sequence[int], free: int) -> int:
        return max(0, sum(self.flow[arc] for arc in arcs) - free)

    def _exceeded(self) -> int:
        return sum(self._over(arcs, free) for _, arcs, free in self._excess)

    def _value(self, weights: Sequence[int]) -> int:
        return sum(weight * number for weight, number in zip(weights, self.flow, strict=True))


def _most(problem: Problem, arc: Arc) -> int:
    """Return the most machines that can go along an arc."""
    return min(len(problem.groups[arc.group].orders), len(problem.pools[arc.pool]))
