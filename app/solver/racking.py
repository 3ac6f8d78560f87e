"""Rack a delivery: first fit, tight filling, quotas of racks, and CP-SAT for what is left."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

import msgspec
from ortools.sat.python import cp_model

from app.solver.filling import fullest
from app.solver.placing import (
    Gap,
    Machine,
    Placement,
    RackSpace,
    clients_of,
    first_fit,
    gaps,
    left,
    needs,
    stacked,
)
from app.solver.quota import quotas

Choice = tuple[int, Gap]
"""A machine's place in the delivery, and a gap."""


class RackPlan(msgspec.Struct, frozen=True, kw_only=True):
    """Where each machine goes."""

    placed: tuple[Placement, ...]
    """The tallest first within each gap, from the bottom: none stands on air."""
    unplaced: tuple[UUID, ...]
    bound: int
    """No plan places more machines than this."""
    gap: float
    """(bound - placed) / bound; 0.0 when there was nothing to place."""
    first_fit: int
    """How many first-fit decreasing placed."""

    @property
    def is_proven(self) -> bool:
        return len(self.placed) == self.bound


def rack_up(
    racks: Sequence[RackSpace],
    machines: Sequence[Machine],
    *,
    seed: int,
    deterministic_limit: float,
) -> RackPlan:
    """Return places for as many of the machines as possible.

    First-fit decreasing answers at once. When something stays unplaced, gaps are filled one
    by one as tightly as can be, then `quotas` says which rack takes what, and CP-SAT goes on from
    the best of these for at most `deterministic_limit` (about a second of one core each).
    Machines that no rack takes even alone don't count in the bound. Equal input gives an
    equal plan. Can run for seconds: call it in a worker process.
    """
    greedy = {key: gap for key, (gap, _) in first_fit(racks, machines).items()}
    chosen: Mapping[UUID, Gap] = greedy
    most = len(machines)
    if len(greedy) < len(machines):
        chosen = max(greedy, fullest(racks, machines, seed=seed), key=len)
    is_short = len(chosen) < len(machines)
    if is_short and deterministic_limit > 0 and (quota := quotas(racks, machines)):
        shared = {key: gap for key, (gap, _) in first_fit(racks, machines, quota.rack).items()}
        chosen, most = max(chosen, shared, key=len), quota.most
    if len(chosen) < most:
        chosen, found = _searched(racks, machines, chosen, seed, deterministic_limit)
        most = min(most, found)
    return RackPlan(
        placed=stacked(racks, machines, chosen),
        unplaced=tuple(machine.id for machine in machines if machine.id not in chosen),
        bound=most,
        gap=(most - len(chosen)) / most if most else 0.0,
        first_fit=len(greedy),
    )


def _searched(
    racks: Sequence[RackSpace],
    machines: Sequence[Machine],
    greedy: Mapping[UUID, Gap],
    seed: int,
    limit: float,
) -> tuple[Mapping[UUID, Gap], int]:
    """Return the better plan and the bound of the number placed."""
    model = cp_model.CpModel()
    choices = choices_of(model, racks, machines)
    admit(model, racks, machines, choices)
    possible = len({place for place, _ in choices})
    if possible == len(greedy):
        return greedy, possible
    for (place, gap), variable in choices.items():
        model.add_hint(variable, int(greedy.get(machines[place].id) == gap))
    model.maximize(cp_model.LinearExpr.sum([*choices.values()]))
    solver = solved(model, seed, limit)
    if solver is None:
        return greedy, possible
    most = min(possible, int(solver.best_objective_bound + 1e-6))
    found = {
        machines[place].id: gap
        for (place, gap), variable in choices.items()
        if solver.value(variable)
    }
    return (found if len(found) > len(greedy) else greedy), most


def solved(model: cp_model.CpModel, seed: int, limit: float) -> cp_model.CpSolver | None:
    """Return the solver with the best answer found within the limit, None without any."""
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.random_seed = seed % (1 << 31)
    solver.parameters.max_deterministic_time = limit
    status = solver.solve(model)
    return solver if status in {cp_model.OPTIMAL, cp_model.FEASIBLE} else None


def choices_of(
    model: cp_model.CpModel, racks: Sequence[RackSpace], machines: Sequence[Machine]
) -> dict[Choice, cp_model.IntVar]:
    """Return a variable for each machine and each gap that would take it alone."""
    choices = {}
    for number, rack in enumerate(racks):
        has, clients, most = left(rack), clients_of(rack), rack.most_of_client
        for place, machine in enumerate(machines):
            is_full = most is not None and clients[machine.client] >= most
            fits = all(
                limit is None or not needed or needed <= limit
                for needed, limit in zip(needs(machine), has, strict=True)
            )
            if fits and not (machine.client and is_full):
                for start, units in gaps(rack).items():
                    if units >= machine.u_height:
                        choices[place, (number, start)] = model.new_bool_var("")
    return choices


def admit(
    model: cp_model.CpModel,
    racks: Sequence[RackSpace],
    machines: Sequence[Machine],
    choices: Mapping[Choice, cp_model.IntVar],
) -> None:
    """Add that each machine goes once, and what gaps and racks admit."""
    of_machine: defaultdict[int, list[cp_model.IntVar]] = defaultdict(list)
    of_gap: defaultdict[Gap, list[Choice]] = defaultdict(list)
    of_rack: defaultdict[int, list[Choice]] = defaultdict(list)
    for choice, variable in choices.items():
        of_machine[choice[0]].append(variable)
        of_gap[choice[1]].append(choice)
        of_rack[choice[1][0]].append(choice)
    for variables in of_machine.values():
        model.add_at_most_one(variables)

    def limit(some: Sequence[Choice], weights: Sequence[int], most: int) -> None:
        numbers = [choices[choice] for choice in some]
        model.add(cp_model.LinearExpr.weighted_sum(numbers, weights) <= most)

    for (number, start), some in of_gap.items():
        limit(some, [machines[place].u_height for place, _ in some], gaps(racks[number])[start])
    for number, some in of_rack.items():
        for resource, has in enumerate(left(racks[number])):
            taking = [one for one in some if needs(machines[one[0]])[resource]]
            if has is not None and taking:
                limit(taking, [needs(machines[place])[resource] for place, _ in taking], has)
        most, there = racks[number].most_of_client, clients_of(racks[number])
        for client in sorted({machines[place].client for place, _ in some} - {""}):
            theirs = [one for one in some if machines[one[0]].client == client]
            if most is not None:
                limit(theirs, [1] * len(theirs), most - there[client])
