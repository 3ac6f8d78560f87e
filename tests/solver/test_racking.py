"""Racking and moving, against plain Python that tries every place of every machine."""

from collections import Counter
from itertools import combinations
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.solver import filling, quota, racking
from app.solver.moves import free_gap, relieve
from app.solver.placing import Machine, RackSpace, Standing, gaps
from app.solver.racking import rack_up

CASES = settings(max_examples=60, deadline=None)

machines = st.builds(
    Machine,
    id=st.just(UUID(int=0)),
    u_height=st.integers(1, 3),
    watts=st.sampled_from([0, 200, 300]),
    feeds=st.sampled_from(["A", "B", "AB"]),
    weight_kg=st.sampled_from([10, 25]),
    ports=st.integers(0, 2),
    client=st.sampled_from(["", "ann", "bob"]),
    can_move=st.sampled_from([True, True, False]),
)


@st.composite
def floors(draw, heights=(4, 6)):
    """Draw two racks, machines that stand in them, and a few new ones."""
    number, racks = 1, []
    for name in ("r1", "r2"):
        standing, unit = [], 1
        height = draw(st.sampled_from(heights))
        for machine in draw(st.lists(machines, max_size=2)):
            unit += draw(st.integers(0, 2))
            if unit + machine.u_height - 1 <= height:
                named = msgspec.structs.replace(machine, id=UUID(int=number))
                standing.append(Standing(machine=named, u_position=unit))
                number += 1
                unit += machine.u_height
        racks.append(
            RackSpace(
                name=name,
                u_height=height,
                feed_a_watts=draw(st.sampled_from([None, 400, 700])),
                feed_b_watts=draw(st.sampled_from([None, 400, 700])),
                weight_kg=draw(st.sampled_from([None, 50])),
                cooling_watts=draw(st.sampled_from([None, 600])),
                ports=draw(st.sampled_from([None, 3])),
                most_of_client=draw(st.sampled_from([None, 1, 2])),
                standing=tuple(standing),
                blocked=draw(st.sampled_from([(), (height,)])) if unit <= height else (),
            )
        )
    new = [
        msgspec.structs.replace(machine, id=UUID(int=100 + place))
        for place, machine in enumerate(draw(st.lists(machines, max_size=4)))
    ]
    return racks, new


def admits(rack, newcomers):
    """Return whether a rack takes (machine, unit) pairs beside what stands there."""
    units = Counter(rack.blocked)
    everybody = [*((one.machine, one.u_position) for one in rack.standing), *newcomers]
    for machine, unit in everybody:
        units.update(range(unit, unit + machine.u_height))
    if newcomers and (max(units.values()) > 1 or max(units) > rack.u_height or min(units) < 1):
        return False
    for limit, take in (
        (rack.feed_a_watts, lambda m: m.watts if "A" in m.feeds else 0),
        (rack.feed_b_watts, lambda m: m.watts if "B" in m.feeds else 0),
        (rack.weight_kg, lambda m: m.weight_kg),
        (rack.cooling_watts, lambda m: m.watts),
        (rack.ports, lambda m: m.ports),
    ):
        added = sum(take(machine) for machine, _ in newcomers)
        if added and limit is not None and sum(take(machine) for machine, _ in everybody) > limit:
            return False
    clients = Counter(machine.client for machine, _ in everybody)
    most = rack.most_of_client
    return most is None or all(
        not machine.client or clients[machine.client] <= most for machine, _ in newcomers
    )


def most_racked(racks, new):
    """Return how many machines can be racked, by trying everything."""

    def search(rest, chosen):
        nonlocal best
        best = max(best, len(chosen))
        if not rest or len(chosen) + len(rest) <= best:
            return
        machine, *others = rest
        for place, rack in enumerate(racks):
            for unit in range(1, rack.u_height - machine.u_height + 2):
                there = [(m, u) for p, m, u in chosen if p == place]
                if admits(rack, [*there, (machine, unit)]):
                    search(others, [*chosen, (place, machine, unit)])
                if best == len(new):
                    return
        search(others, chosen)

    best = 0
    search(new, [])
    return best


def check_places(racks, new, placed):
    by_id = {machine.id: machine for machine in new}
    for rack in racks:
        there = [(by_id[p.machine], p.u_position) for p in placed if p.rack == rack.name]
        assert admits(rack, there)
    assert {place.rack for place in placed} <= {rack.name for rack in racks}


@CASES
@given(floors(), st.sampled_from([0, quota.MOST_NUMBERS]))
def test_as_many_are_racked_as_by_trying_everything(floor, numbers):
    racks, new = floor
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(quota, "MOST_NUMBERS", numbers)
        plan = rack_up(racks, new, seed=1, deterministic_limit=5)
        assert plan == rack_up(racks, new, seed=1, deterministic_limit=5)
    check_places(racks, new, plan.placed)
    placed = {place.machine for place in plan.placed}
    assert len(placed) == len(plan.placed)
    assert set(plan.unplaced) == {machine.id for machine in new} - placed
    assert len(placed) == plan.bound == most_racked(racks, new)
    assert plan.first_fit <= len(placed)
    assert plan.is_proven
    assert plan.gap == 0.0


def test_first_fit_loses_what_the_search_finds_and_stands_when_there_is_no_time():
    # 3 and 3 go into the first seven units, three of 2 into the others, and one of 2 is left
    racks = [RackSpace(name="a", u_height=7), RackSpace(name="b", u_height=7)]
    heights = (3, 3, 2, 2, 2, 2)
    new = [Machine(id=UUID(int=n + 1), u_height=height) for n, height in enumerate(heights)]
    found = rack_up(racks, new, seed=1, deterministic_limit=5)
    assert (found.first_fit, len(found.placed)) == (5, 6)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(racking, "fullest", lambda racks, machines, seed: {})
        stopped = rack_up(racks, new, seed=1, deterministic_limit=0)
        shared = rack_up(racks, new, seed=1, deterministic_limit=5)
        patch.setattr(quota, "MOST_NUMBERS", 0)
        searched = rack_up(racks, new, seed=1, deterministic_limit=5)
    assert len(shared.placed) == len(searched.placed) == 6
    assert (len(stopped.placed), stopped.bound, stopped.is_proven) == (5, 6, False)
    assert stopped.gap == 1 / 6


def test_racks_that_are_short_are_given_what_they_can_take_together():
    # 900 W are three small machines, or a large and a small one
    racks = [
        RackSpace(name=f"r{n}", feed_a_watts=900, feed_b_watts=900, most_of_client=2 if n else None)
        for n in range(8)
    ]
    new = [
        Machine(
            id=UUID(int=n + 1), u_height=1 + n % 2, watts=600 if n % 3 == 2 else 290,
            client="ann" if n % 2 else "bob",
        )
        for n in range(30)
    ]  # fmt: skip
    plan = rack_up(racks, new, seed=1, deterministic_limit=1)
    check_places(racks, new, plan.placed)
    assert (len(plan.placed), plan.bound) == (22, 22)
    assert plan.first_fit < 22


@pytest.mark.parametrize("numbers", [0, quota.MOST_NUMBERS], ids=["searched", "shared"])
def test_a_machine_that_no_rack_takes_does_not_count_in_the_bound(monkeypatch, numbers):
    monkeypatch.setattr(quota, "MOST_NUMBERS", numbers)
    new = [Machine(id=UUID(int=n + 1), u_height=height) for n, height in enumerate((50, 2))]
    plan = rack_up([RackSpace(name="a")], new, seed=1, deterministic_limit=1)
    assert (len(plan.placed), plan.bound, plan.is_proven) == (1, 1, True)


def test_tight_filling_is_cut_short_and_keeps_the_limits():
    racks = [RackSpace(name="a", u_height=9, feed_a_watts=900, most_of_client=3)]
    new = [
        Machine(
            id=UUID(int=n + 1), u_height=2 + n % 3, watts=100 + n, client="ann" if n % 2 else ""
        )
        for n in range(9)
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(filling, "MOST_LOOKS", 3)
        chosen = filling.fullest(racks, new, seed=1)
    heights = [machine.u_height for machine in new if machine.id in chosen]
    assert 0 < sum(heights) <= 9
    assert len(filling.fullest(racks, new, seed=1)) >= len(chosen)


def walked(racks, moves):
    """Do the moves one after the other, each of which must be feasible; return the racks."""
    for move in moves:
        [machine] = [
            one.machine
            for rack in racks
            for one in rack.standing
            if (rack.name, one.u_position) == (move.from_rack, move.from_u)
        ]
        assert machine.id == move.machine
        assert machine.can_move
        gone = [
            msgspec.structs.replace(
                rack,
                standing=tuple(one for one in rack.standing if one.machine.id != machine.id),
            )
            for rack in racks
        ]
        [target] = [rack for rack in gone if rack.name == move.to_rack]
        assert admits(target, [(machine, move.to_u)])
        arrived = Standing(machine=machine, u_position=move.to_u)
        racks = [
            msgspec.structs.replace(rack, standing=(*rack.standing, arrived))
            if rack is target
            else rack
            for rack in gone
        ]
    return racks


@CASES
@given(floors(), st.integers(1, 4), st.sampled_from([(), ("r2",)]))
def test_a_gap_is_freed_with_the_fewest_moves(floor, wanted, within):
    racks, _ = floor
    plan = free_gap(racks, wanted, within=within, seed=1, deterministic_limit=5)
    costs = []
    for place, rack in enumerate(racks):
        for unit in range(1, rack.u_height - wanted + 2):
            units = set(range(unit, unit + wanted))
            movers = [
                one.machine
                for one in rack.standing
                if units & set(range(one.u_position, one.u_position + one.machine.u_height))
            ]
            if units & set(rack.blocked) or not all(one.can_move for one in movers):
                continue
            # whoever moves still stands there, so only units outside of the window are free
            rest = [*racks]
            idle = [
                unit
                for unit in units
                if not any(
                    one.u_position <= unit < one.u_position + one.machine.u_height
                    for one in rack.standing
                )
            ]
            rest[place] = msgspec.structs.replace(rack, blocked=(*rack.blocked, *idle))
            if (not within or rack.name in within) and most_racked(rest, movers) == len(movers):
                costs.append(len(movers))
    assert (plan is None) == (not costs)
    if plan is not None:
        assert len(plan.moves) == min(costs)
        [after] = [rack for rack in walked(racks, plan.moves) if rack.name == plan.rack]
        assert any(
            start <= plan.u_position and plan.u_position + wanted <= start + units
            for start, units in gaps(after).items()
        )


def above(rack, percent):
    draws = [
        (rack.feed_a_watts, sum(o.machine.watts for o in rack.standing if "A" in o.machine.feeds)),
        (rack.feed_b_watts, sum(o.machine.watts for o in rack.standing if "B" in o.machine.feeds)),
    ]
    return any(budget is not None and draw * 100 > budget * percent for budget, draw in draws)


@CASES
@given(floors(), st.sampled_from([50, 80, 100]))
def test_power_is_taken_off_with_the_fewest_moves(floor, percent):
    racks, _ = floor
    moves = relieve(racks, percent, seed=1, deterministic_limit=5)
    over = [rack for rack in racks if above(rack, percent)]
    movers = [one.machine for rack in over for one in rack.standing if one.machine.can_move]
    fewest = None
    for number in range(len(movers) + 1):
        for chosen in combinations(movers, number):
            ids = {machine.id for machine in chosen}
            lighter = [
                msgspec.structs.replace(
                    rack, standing=tuple(o for o in rack.standing if o.machine.id not in ids)
                )
                for rack in over
            ]
            receiving = [
                msgspec.structs.replace(
                    rack,
                    feed_a_watts=rack.feed_a_watts and rack.feed_a_watts * percent // 100,
                    feed_b_watts=rack.feed_b_watts and rack.feed_b_watts * percent // 100,
                )
                for rack in racks
                if rack not in over
            ]
            relieved = not any(above(rack, percent) for rack in lighter)
            if fewest is None and relieved and most_racked(receiving, list(chosen)) == number:
                fewest = number
    assert (moves is None) == (fewest is None)
    if moves is not None:
        assert len(moves) == fewest
        assert not any(above(rack, percent) for rack in walked(racks, moves))


def test_a_gap_is_not_freed_where_what_stands_in_the_way_has_nowhere_to_go():
    wide = Standing(machine=Machine(id=UUID(int=1), u_height=2), u_position=2)
    assert (
        free_gap(
            [RackSpace(name="a", u_height=4, standing=(wide,))], 2, seed=1, deterministic_limit=1
        )
        is None
    )
    moved = free_gap(
        [RackSpace(name="a", u_height=5, standing=(wide,))], 3, seed=1, deterministic_limit=1
    )
    assert moved is not None
    assert [(move.from_u, move.to_u) for move in moved.moves] == [(2, 4)]


def test_what_no_rack_takes_alone_is_not_in_the_bound():
    racks = [RackSpace(name="a", u_height=2, weight_kg=20)]
    new = [Machine(id=UUID(int=1)), Machine(id=UUID(int=2), weight_kg=30)]
    plan = rack_up(racks, new, seed=1, deterministic_limit=1)
    assert (plan.unplaced, plan.bound, plan.is_proven) == ((UUID(int=2),), 1, True)


def test_relief_is_not_promised_where_no_time_is_given_to_look():
    hot = Standing(machine=Machine(id=UUID(int=1), watts=300), u_position=1)
    racks = [
        RackSpace(name="a", feed_a_watts=200, standing=(hot,)),
        RackSpace(name="b", feed_a_watts=400),
    ]
    assert relieve(racks, 100, seed=1, deterministic_limit=0) is None
    moves = relieve(racks, 100, seed=1, deterministic_limit=1)
    assert moves is not None
    assert [(move.from_rack, move.to_rack) for move in moves] == [("a", "b")]
