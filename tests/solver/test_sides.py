"""Side rules: what racks admit, for one order and for batches, against plain Python."""

from collections import Counter
from itertools import product
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.solver import sides
from app.solver.batch import WaitingOrder, solve
from app.solver.inventory import inventory_of
from app.solver.match import match
from app.solver.room import RackRoom, Side
from app.solver.want import ServerWant

from . import fleets, plain

few = st.none() | st.integers(-1, 2)
watts = st.none() | st.integers(-50, 700)
rooms = st.lists(
    st.builds(
        RackRoom,
        datacentre=st.sampled_from(("ams", "fra", "elsewhere")),
        rack=st.sampled_from(fleets.RACKS),
        feed_a_watts=watts,
        feed_b_watts=watts,
        cooling_watts=watts,
        ports=few,
        vlans=few,
        clients=st.dictionaries(st.sampled_from(("ann", "bob")), st.integers(0, 2)),
        most_of_client=st.none() | st.integers(1, 2),
    ),
    max_size=4,
    unique_by=lambda room: (room.datacentre, room.rack),
).map(tuple)
side_servers = st.lists(
    st.builds(
        fleets.server,
        number=st.just(0),
        datacentre=st.sampled_from(("ams", "fra")),
        rack=st.sampled_from(fleets.RACKS) | st.none(),
        ram_gb=st.sampled_from([32, 64]),
        power_watts=st.sampled_from([0, 200, 300]),
        feeds=st.sampled_from(["A", "B", "AB"]),
        ports=st.integers(0, 2),
    ),
    max_size=5,
).map(lambda found: [fleets.numbered(one, place + 1) for place, one in enumerate(found)])
side_wants = st.builds(
    ServerWant,
    ram_gb=st.sampled_from([None, 64]),
    datacentres=st.sampled_from([(), ("fra",)]),
    racks=st.sampled_from([(), ("r2",)]),
    spread_racks=st.booleans(),
    most_in_rack=st.none() | st.integers(1, 2),
)
clients = st.sampled_from(("", "ann", "bob", "cid"))


@settings(max_examples=60, deadline=None)
@given(side_servers, side_wants, rooms, clients, st.integers(0, 2))
def test_one_order_gets_only_what_its_rack_admits(found, want, racks, client, vlans):
    inventory = inventory_of(found)
    side = Side(racks=racks, client=client, vlans=vlans)
    result = match(inventory, want, seed=1, side=side)
    failed = {
        server.id: plain.failed(server, want, (), {})
        | plain.side_failed(server, racks, want.most_in_rack, client, vlans)
        for server in found
    }
    assert set(result.ranked) == {key for key, rules in failed.items() if not rules}
    for count in result.explanation.rules:
        assert count.eliminated == sum(count.rule in rules for rules in failed.values())
        alone = sum(rules == {count.rule} for rules in failed.values())
        assert count.eliminated_alone == alone
        told = [r for r in result.explanation.relaxations if r.rule == count.rule]
        assert bool(told) == bool(alone)
    named = {count.rule for count in result.explanation.rules}
    assert {rule for rules in failed.values() for rule in rules} <= named


def worth(pairs, orders, racks):
    """Return a plan's worth, lower is better, or None when the racks do not admit it."""
    if not plain.racks_admit([(server, order) for order, server in pairs], orders, racks):
        return None
    levels = sorted({order.priority for order in orders}, reverse=True)
    costs = [plain.costs(server, order.want, (), {}) for order, server in pairs]
    return (
        *(-sum(order.priority >= level for order, _ in pairs) for level in levels),
        *(sum(cost[tier] for cost in costs) for tier in (0, 1, 2, 4)),
        plain.shared([(server, order) for order, server in pairs], racks),
    )


def best_worth(found, orders, racks):
    fitting = [
        [None, *(one for one in found if not plain.failed(one, order.want, (), {}))]
        for order in orders
    ]
    worths = []
    for servers in product(*fitting):
        pairs = [(o, s) for o, s in zip(orders, servers, strict=True) if s is not None]
        if len({server.id for _, server in pairs}) == len(pairs):
            worths.append(worth(pairs, orders, racks))
    return min(value for value in worths if value is not None)


def check(plan, found, orders, racks):
    by_id = {server.id: server for server in found}
    pairs = [
        (order, by_id[plan.assignments[order.order_id]])
        for order in orders
        if order.order_id in plan.assignments
    ]
    assert len(set(plan.assignments.values())) == len(pairs)
    assert not any(plain.failed(server, order.want, (), {}) for order, server in pairs)
    value = worth(pairs, orders, racks)
    assert value is not None
    assert [tier.value for tier in plan.tiers] == [len(pairs), *value[-5:]]
    assert plan.bound >= len(pairs)
    return value


orders_of = st.lists(
    st.builds(
        lambda want, priority, client, vlans: (want, priority, client, vlans),
        side_wants,
        st.integers(0, 1),
        clients,
        st.integers(0, 1),
    ),
    max_size=4,
).map(lambda asked: [WaitingOrder(UUID(int=9 + i), *one) for i, one in enumerate(asked)])


@settings(max_examples=60, deadline=None)
@given(side_servers, orders_of, rooms.filter(bool))
def test_a_small_batch_in_racks_is_solved_as_well_as_by_trying_everything(found, orders, racks):
    plan = solve(inventory_of(found), orders, seed=1, deterministic_limit=10, racks=racks)
    assert plan.proven
    assert plan.gap == 0.0
    assert [tier.bound for tier in plan.tiers] == [tier.value for tier in plan.tiers]
    assert check(plan, found, orders, racks) == best_worth(found, orders, racks)


@settings(max_examples=40, deadline=None)
@given(side_servers, orders_of, rooms.filter(bool), st.sampled_from([0, 10]))
def test_a_pruned_or_stopped_search_keeps_the_rules_and_never_claims_too_much(
    found, orders, racks, limit
):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sides, "MOST_ARCS", 4)
        patch.setattr(sides, "ALIKE", 1)
        plan = solve(inventory_of(found), orders, seed=1, deterministic_limit=limit, racks=racks)
    value, best = check(plan, found, orders, racks), best_worth(found, orders, racks)
    assert value >= best
    assert plan.bound >= (-best[-6] if len(best) > 5 else 0)
    assert value == best or not plan.proven


def test_a_client_is_spread_and_never_more_than_its_limit_is_in_one_rack():
    found = [fleets.server(n + 1, rack=f"r{n % 3}") for n in range(9)]
    racks = [RackRoom(datacentre="ams", rack=f"r{n}") for n in range(3)]
    want = ServerWant(spread_racks=True, most_in_rack=2)
    orders = [WaitingOrder(UUID(int=20 + n), want, 0, "ann") for n in range(7)]
    plan = solve(inventory_of(found), orders, seed=3, deterministic_limit=5, racks=racks)
    racked = {server.id: server.rack for server in found}
    per_rack = Counter(racked[server] for server in plan.assignments.values())
    assert per_rack == {"r0": 2, "r1": 2, "r2": 2}
    assert (plan.bound, plan.gap, plan.proven) == (6, 0.0, True)
    assert plan == solve(inventory_of(found), orders, seed=3, deterministic_limit=5, racks=racks)
