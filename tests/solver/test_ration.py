"""Racks that are short: what each gives is chosen for all orders together, and proven."""

from uuid import UUID

import pytest

from app.solver import programme, ration, sides
from app.solver.batch import WaitingOrder, solve
from app.solver.inventory import inventory_of
from app.solver.room import RackRoom
from app.solver.want import ServerWant

from . import fleets

SMALL, LARGE = ServerWant(ram_gb=32), ServerWant(ram_gb=128)


def _hall(racks):
    """Return racks of two small machines and a large one each."""
    return [
        fleets.server(
            3 * rack + place + 1, rack=f"r{rack}", ram_gb=128 if place == 2 else 32,
            power_watts=390 if place == 2 else 210,
        )
        for rack in range(racks)
        for place in range(3)
    ]  # fmt: skip


def _waiting(*wants, client="", priority=0):
    return [
        WaitingOrder(UUID(int=900 + place), want, priority, client)
        for place, want in enumerate(wants)
    ]


@pytest.fixture
def pruned(monkeypatch):
    """Leave the search too few candidates to prove anything by itself."""
    monkeypatch.setattr(sides, "MOST_ARCS", 4)
    monkeypatch.setattr(sides, "ALIKE", 1)


@pytest.mark.usefixtures("pruned")
def test_racks_give_what_serves_most_and_no_plan_is_said_to_serve_more():
    found = _hall(3)
    # 450 W are two small machines or one large one; watt by watt a rack would give more
    racks = [RackRoom(datacentre="ams", rack=f"r{n}", feed_a_watts=450) for n in range(3)]
    orders = _waiting(LARGE, LARGE, SMALL, SMALL, SMALL, SMALL)
    plan = solve(inventory_of(found), orders, seed=1, deterministic_limit=1, racks=racks)
    assert (len(plan.assignments), plan.bound, plan.proven) == (5, 5, True)
    large = {server.id for server in found if server.ram_gb == 128}
    assert sum(server in large for server in plan.assignments.values()) == 1
    again = solve(inventory_of(found), orders, seed=1, deterministic_limit=1, racks=racks)
    assert plan == again


@pytest.mark.usefixtures("pruned")
def test_a_higher_priority_is_served_first_even_where_that_serves_fewer():
    racks = [RackRoom(datacentre="ams", rack=f"r{n}", cooling_watts=450) for n in range(2)]
    orders = _waiting(SMALL, SMALL, SMALL, SMALL)
    orders += [
        order._replace(order_id=UUID(int=990 + place), priority=1)
        for place, order in enumerate(_waiting(LARGE, LARGE))
    ]
    plan = solve(inventory_of(_hall(2)), orders, seed=1, deterministic_limit=1, racks=racks)
    assert {UUID(int=990), UUID(int=991)} == {*plan.assignments}
    assert (plan.bound, plan.proven) == (2, True)


@pytest.mark.usefixtures("pruned")
def test_a_programme_that_ends_before_it_found_anything_costs_nothing(monkeypatch):
    status = programme.model_builder.SolveStatus.NOT_SOLVED
    monkeypatch.setattr(programme.model_builder.Solver, "solve", lambda *_: status)
    racks = [RackRoom(datacentre="ams", rack=f"r{n}", feed_a_watts=450) for n in range(3)]
    orders = _waiting(LARGE, LARGE, SMALL, SMALL, SMALL, SMALL)
    plan = solve(inventory_of(_hall(3)), orders, seed=1, deterministic_limit=1, racks=racks)
    assert len(plan.assignments) >= 4
    assert plan.bound == 6
    assert not plan.proven


def test_a_batch_that_is_too_large_is_left_to_the_search(monkeypatch):
    monkeypatch.setattr(ration, "MOST_NUMBERS", 0)
    racks = [RackRoom(datacentre="ams", rack=f"r{n}", feed_a_watts=450) for n in range(3)]
    orders = _waiting(LARGE, LARGE, SMALL, SMALL, SMALL, SMALL)
    plan = solve(inventory_of(_hall(3)), orders, seed=1, deterministic_limit=1, racks=racks)
    assert (len(plan.assignments), plan.proven) == (5, True)


def test_what_a_rack_is_over_its_limit_of_keeps_only_those_out_that_take_of_it():
    idle = fleets.server(1, rack="r0", power_watts=0)
    racks = [RackRoom(datacentre="ams", rack="r0", feed_a_watts=-5, vlans=0)]
    orders = [WaitingOrder(UUID(int=9), ServerWant(), 0, "", 1)]
    orders += [WaitingOrder(UUID(int=8), ServerWant(), 0, "", 0)]
    found = [idle, fleets.server(2, rack="r0", power_watts=10)]
    plan = solve(inventory_of(found), orders, seed=1, deterministic_limit=1, racks=racks)
    assert plan.assignments == {UUID(int=8): idle.id}


def test_orders_of_a_client_change_racks_with_others_rather_than_share_one():
    # two racks of two alike machines; the others' orders come first and take one of each
    found = [fleets.server(n + 1, rack=f"r{n % 2}") for n in range(4)]
    racks = [RackRoom(datacentre="ams", rack=f"r{n}") for n in range(2)]
    spread = ServerWant(spread_racks=True)
    for seed in range(6):
        orders = [
            WaitingOrder(UUID(int=20), spread, 0, "bob"),
            WaitingOrder(UUID(int=21), ServerWant(), 0, "cid"),
            WaitingOrder(UUID(int=22), spread, 0, "ann"),
            WaitingOrder(UUID(int=23), spread, 0, "ann"),
        ]
        plan = solve(inventory_of(found), orders, seed=seed, deterministic_limit=0, racks=racks)
        rack = {server.id: server.rack for server in found}
        mine = {rack[plan.assignments[UUID(int=number)]] for number in (22, 23)}
        assert mine == {"r0", "r1"}, seed
