"""Plans of moves: free a gap in a rack, or take power off racks, with the fewest moves.

Every machine of a plan moves once, straight into a place that is free before the first
move. What it takes is counted where it goes for as long as it is counted where it was, so
each step is feasible in whatever order the steps are done.
"""

from collections.abc import Iterator, Sequence
from math import floor
from uuid import UUID

import msgspec
from ortools.sat.python import cp_model

from app.solver.placing import Gap, Placement, RackSpace, Standing, left, needs, stacked
from app.solver.racking import admit, choices_of, rack_up, solved

FEEDS = 2
"""The first resources of `needs` are the feeds."""


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """One step: a machine leaves its place for another."""

    machine: UUID
    from_rack: str
    from_u: int
    to_rack: str
    to_u: int


class GapPlan(msgspec.Struct, frozen=True, kw_only=True):
    """The gap that is free after the moves."""

    rack: str
    u_position: int
    moves: tuple[Move, ...]


class _Window(msgspec.Struct, frozen=True):
    rack: RackSpace
    u_position: int
    movers: tuple[Standing, ...]


def free_gap(
    racks: Sequence[RackSpace],
    u_height: int,
    *,
    within: Sequence[str] = (),
    seed: int,
    deterministic_limit: float,
) -> GapPlan | None:
    """Return how to get `u_height` free units on end with the fewest moves, or None.

    `within` names the racks that may hold the gap; empty is any. The machines that
    `can_move` may go to all of `racks`. `deterministic_limit` is that of `rack_up`, for
    each stretch of units that first fit cannot empty.
    """
    for window in sorted(_windows(racks, u_height, within), key=lambda one: len(one.movers)):
        units = range(window.u_position, window.u_position + u_height)
        kept = msgspec.structs.replace(window.rack, blocked=(*window.rack.blocked, *units))
        rest = [kept if rack is window.rack else rack for rack in racks]
        plan = rack_up(
            rest,
            [one.machine for one in window.movers],
            seed=seed,
            deterministic_limit=deterministic_limit,
        )
        if not plan.unplaced:
            return GapPlan(
                rack=window.rack.name,
                u_position=window.u_position,
                moves=_moves([window.rack], plan.placed),
            )
    return None


def relieve(
    racks: Sequence[RackSpace], percent: int, *, seed: int, deterministic_limit: float
) -> tuple[Move, ...] | None:
    """Return the fewest moves after which no feed carries more than a share of its budget.

    Machines leave the racks that are above `percent` for those that are not, and fill
    none of these above it. None where that cannot be, or is not found within the limit.
    """
    shared = [
        msgspec.structs.replace(
            rack,
            feed_a_watts=_share(rack.feed_a_watts, percent),
            feed_b_watts=_share(rack.feed_b_watts, percent),
        )
        for rack in racks
    ]
    over = [rack for rack in shared if any((has or 0) < 0 for has in left(rack)[:FEEDS])]
    receiving = [rack for rack in shared if rack not in over]
    movers = [one.machine for rack in over for one in rack.standing if one.machine.can_move]
    model = cp_model.CpModel()
    choices = choices_of(model, receiving, movers)
    admit(model, receiving, movers, choices)
    for rack in over:
        mine = {one.machine.id for one in rack.standing}
        for feed, has in enumerate(left(rack)[:FEEDS]):
            if has is not None and has < 0:
                leaving = [
                    variable * needs(movers[place])[feed]
                    for (place, _), variable in choices.items()
                    if movers[place].id in mine
                ]
                model.add(cp_model.LinearExpr.sum(leaving) >= -has)
    model.minimize(cp_model.LinearExpr.sum([*choices.values()]))
    solver = solved(model, seed, deterministic_limit)
    if solver is None:
        return None
    chosen: dict[UUID, Gap] = {
        movers[place].id: gap
        for (place, gap), variable in choices.items()
        if solver.value(variable)
    }
    return _moves(over, stacked(receiving, movers, chosen))


def _share(watts: int | None, percent: int) -> int | None:
    return None if watts is None else floor(watts * percent / 100)


def _windows(racks: Sequence[RackSpace], u_height: int, within: Sequence[str]) -> Iterator[_Window]:
    """Return each stretch of units that only movable machines are in the way of."""
    for rack in racks:
        if within and rack.name not in within:
            continue
        for unit in range(1, rack.u_height - u_height + 2):
            end = unit + u_height
            movers = tuple(
                one
                for one in rack.standing
                if one.u_position < end and unit < one.u_position + one.machine.u_height
            )
            is_open = all(not unit <= block < end for block in rack.blocked)
            if is_open and all(one.machine.can_move for one in movers):
                yield _Window(rack, unit, movers)


def _moves(racks: Sequence[RackSpace], placed: Sequence[Placement]) -> tuple[Move, ...]:
    """Return the moves of machines that stand in `racks` to their new places."""
    where = {one.machine.id: (rack.name, one.u_position) for rack in racks for one in rack.standing}
    return tuple(
        Move(
            machine=place.machine,
            from_rack=where[place.machine][0],
            from_u=where[place.machine][1],
            to_rack=place.rack,
            to_u=place.u_position,
        )
        for place in placed
    )
