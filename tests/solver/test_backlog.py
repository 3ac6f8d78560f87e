"""Nobody waits for ever: the rule of the backlog, round after round."""

from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.solver.backlog import PATIENCE, Backlogged, solve_backlog
from app.solver.inventory import inventory_of
from app.solver.room import RackRoom
from app.solver.want import ServerWant

from . import fleets

BIG = UUID(int=1)


def rounds_until_served(newcomers, *, watts, priority=0, most=12):
    """Return in which round the big order is served while newcomers arrive, or None.

    Every round frees one rack: a large machine that takes all of its power, and small ones.
    """
    found = [
        fleets.server(1, ram_gb=256, power_watts=watts),
        *(fleets.server(n + 2, ram_gb=32, power_watts=200) for n in range(4)),
    ]
    racks = [RackRoom(datacentre="ams", rack="r1", feed_a_watts=600, feed_b_watts=600)]
    waiting = [Backlogged(order_id=BIG, want=ServerWant(ram_gb=256))]
    for number in range(most):
        waiting += [
            Backlogged(
                order_id=UUID(int=100 * (number + 1) + n), want=ServerWant(), priority=priority
            )
            for n in range(newcomers)
        ]
        result = solve_backlog(
            inventory_of(found), waiting, seed=number, deterministic_limit=1, racks=racks
        )
        if BIG in result.plan.assignments:
            return number
        assert set(result.passed) == set(result.plan.unplaced)
        waiting = [
            msgspec.structs.replace(order, passed=result.passed[order.order_id])
            for order in waiting
            if order.order_id in result.passed
        ]
    return None


@settings(max_examples=10, deadline=None)
@given(st.integers(2, 6), st.sampled_from([500, 600]))
def test_a_small_order_never_starves_the_large_one_whose_rack_it_fills(newcomers, watts):
    """Pitfall: eks-anywhere#2427. The small ones are more, so they go first, but only so often."""
    assert rounds_until_served(newcomers, watts=watts) == PATIENCE


def test_only_a_higher_priority_passes_for_ever():
    assert rounds_until_served(4, watts=600, priority=1) is None


def test_an_order_that_nothing_serves_is_passed_and_stops_nobody():
    assert rounds_until_served(2, watts=700) is None


def test_an_order_is_not_passed_by_those_above_it_nor_when_nobody_is_served():
    inventory = inventory_of([fleets.server(1)])
    waiting = [
        Backlogged(order_id=UUID(int=1), want=ServerWant(), priority=1),
        Backlogged(order_id=UUID(int=2), want=ServerWant(), passed=4),
        Backlogged(order_id=UUID(int=3), want=ServerWant(), priority=1, passed=1),
    ]
    result = solve_backlog(inventory, waiting, seed=1, deterministic_limit=1)
    assert set(result.plan.assignments) == {UUID(int=1)}
    assert result.passed == {UUID(int=2): 4, UUID(int=3): 2}
    nobody = solve_backlog(inventory_of([]), waiting, seed=1, deterministic_limit=1)
    assert nobody.passed == {UUID(int=1): 0, UUID(int=2): 4, UUID(int=3): 1}
