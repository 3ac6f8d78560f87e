"""Many orders at once: small batches against every possible plan."""

from itertools import product
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.solver import assign
from app.solver.batch import BatchPlan, WaitingOrder, solve
from app.solver.inventory import DiskFacts, inventory_of
from app.solver.want import DiskKind, ServerWant

from . import fleets, plain


def plan_of(found, orders, *, equivalences=(), seed=1, limit=10.0):
    inventory = inventory_of(found, equivalences=equivalences, groups=fleets.GROUPS)
    return solve(inventory, orders, seed=seed, deterministic_limit=limit)


def worth(pairs, orders, equivalences):
    """Return a plan's worth, lower is better: placed by priority, then the sums of the costs."""
    levels = sorted({order.priority for order in orders}, reverse=True)
    costs = [
        plain.costs(server, order.want, equivalences, fleets.GROUPS) for order, server in pairs
    ]
    return (
        *(-sum(order.priority >= level for order, _ in pairs) for level in levels),
        *(sum(cost[tier] for cost in costs) for tier in (0, 1, 2, 4)),
    )


def best_worth(found, orders, equivalences):
    """Try every way to give each order a server or none."""
    choices = [
        [None]
        + [
            server
            for server in found
            if not plain.failed(server, order.want, equivalences, fleets.GROUPS)
        ]
        for order in orders
    ]
    best = None
    for servers in product(*choices):
        pairs = [(o, s) for o, s in zip(orders, servers, strict=True) if s is not None]
        if len({server.id for _, server in pairs}) == len(pairs):
            value = worth(pairs, orders, equivalences)
            best = value if best is None or value < best else best
    return best


def check(plan, found, orders, equivalences=()):
    """Check that a plan keeps the rules and its own figures; return its worth."""
    by_id = {server.id: server for server in found}
    assert len(set(plan.assignments.values())) == len(plan.assignments)
    pairs = [
        (order, by_id[plan.assignments[order.order_id]])
        for order in orders
        if order.order_id in plan.assignments
    ]
    for order, server in pairs:
        assert not plain.failed(server, order.want, equivalences, fleets.GROUPS)
    assert list(plan.unplaced) == [
        order.order_id for order in orders if order.order_id not in plan.assignments
    ]
    value = worth(pairs, orders, equivalences)
    assert [tier.value for tier in plan.tiers] == [len(pairs), *value[-4:]]
    assert plan.bound == plan.tiers[0].bound >= len(pairs)
    assert plan.gap == pytest.approx((plan.bound - len(pairs)) / plan.bound if plan.bound else 0)
    assert all(tier.bound <= tier.value for tier in plan.tiers[1:])
    return value


batches = st.lists(st.tuples(st.sampled_from(range(4)), st.integers(0, 2)), max_size=5)


@settings(max_examples=60, deadline=None)
@given(
    fleets.servers.map(lambda found: found[:5]),
    st.lists(fleets.wants, min_size=4, max_size=4),
    batches,
    fleets.equivalences,
)
def test_a_small_batch_is_solved_as_well_as_by_trying_everything(found, wants, batch, equivalences):
    orders = [
        WaitingOrder(UUID(int=number + 1), wants[which], priority)
        for number, (which, priority) in enumerate(batch)
    ]
    plan = plan_of(found, orders, equivalences=equivalences)
    assert plan.proven
    assert plan.gap == 0.0
    assert all(tier.bound == tier.value for tier in plan.tiers)
    assert check(plan, found, orders, equivalences) == best_worth(found, orders, equivalences)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([32, 64, 128]), st.sampled_from(fleets.DATACENTRES)),
        min_size=2,
        max_size=5,
    ),
    st.lists(
        st.tuples(
            st.sampled_from([32, 64, 128]),
            st.sampled_from([(), ("ams",), ("fra", "ams"), ("nyc", "fra")]),
            st.booleans(),
            st.integers(0, 1),
        ),
        min_size=2,
        max_size=5,
    ),
)
def test_contended_batches_are_solved_as_well_as_by_trying_everything(machines, asked):
    found = [
        fleets.server(number, ram_gb=ram, datacentre=datacentre)
        for number, (ram, datacentre) in enumerate(machines, 1)
    ]
    orders = [
        WaitingOrder(
            UUID(int=number),
            ServerWant(ram_gb=ram, datacentres=places, datacentre_required=required),
            priority,
        )
        for number, (ram, places, required, priority) in enumerate(asked, 1)
    ]
    plan = plan_of(found, orders)
    assert plan.proven
    assert check(plan, found, orders) == best_worth(found, orders, ())


def contended(times):
    """Return orders that greedy cannot all place, though all can be.

    X may have a or c and Y may have b or d; a and b fit them better, but Z can have
    nothing else. All three have two machines to choose from, and Z comes last.
    """
    found, orders = [], []
    for at in range(times):
        a, b, c, d = (f"{letter}{at}" for letter in "abcd")
        for place, (model, ram) in enumerate([(a, 32), (b, 32), (c, 64), (d, 64)], 1):
            found.append(fleets.server(10 * at + place, cpu_model=model, ram_gb=ram))
        for place, models in enumerate([(a, c), (b, d), (a, b)], 1):
            want = ServerWant(cpu_models=models)
            orders.append(WaitingOrder(UUID(int=10 * at + place), want))
    return found, orders


def test_where_greedy_leaves_orders_out_all_are_placed():
    found, orders = contended(8)
    plan = plan_of(found, orders)
    assert (len(plan.assignments), plan.bound, plan.gap, plan.proven) == (24, 24, 0.0, True)
    check(plan, found, orders)


@pytest.mark.parametrize("limit", [0.0, 1e-9])
def test_without_time_the_greedy_plan_stands_and_the_gap_is_told(limit):
    found, orders = contended(8)
    plan = plan_of(found, orders, limit=limit)
    assert (len(plan.assignments), plan.bound, plan.proven) == (16, 24, False)
    assert plan.gap == pytest.approx(1 / 3)
    assert len(plan.unplaced) == 8
    check(plan, found, orders)


def test_a_problem_too_large_is_searched_in_part_and_claims_no_proof(monkeypatch):
    monkeypatch.setattr(assign, "MOST_ARCS", 12)
    found, orders = contended(8)
    plan = plan_of(found, orders)
    assert plan.bound == 24
    assert not plan.proven
    check(plan, found, orders)


def test_the_same_batch_and_seed_give_the_same_plan():
    found, orders = contended(4)
    plain_orders = [tuple(order) for order in orders]
    assert plan_of(found, orders) == plan_of(found[::-1], plain_orders)


def test_alike_machines_are_drawn_by_seed():
    found = [fleets.server(number) for number in range(1, 41)]
    orders = [WaitingOrder(UUID(int=1), ServerWant())]
    drawn = {plan_of(found, orders, seed=seed).assignments[UUID(int=1)] for seed in range(10)}
    assert len(drawn) > 3


def test_the_oldest_of_alike_orders_is_served_and_a_higher_priority_before_it():
    found = [fleets.server(1), fleets.server(2)]
    orders = [WaitingOrder(UUID(int=number), ServerWant()) for number in range(1, 4)]
    assert plan_of(found, orders).unplaced == (UUID(int=3),)
    orders.append(WaitingOrder(UUID(int=4), ServerWant(), priority=1))
    assert plan_of(found, orders).unplaced == (UUID(int=2), UUID(int=3))


def test_a_small_order_does_not_take_the_only_machine_of_a_large_one():
    found = [fleets.server(1, ram_gb=512), fleets.server(2, ram_gb=64)]
    small = WaitingOrder(UUID(int=1), ServerWant(ram_gb=64))
    large = WaitingOrder(UUID(int=2), ServerWant(ram_gb=512))
    plan = plan_of(found, [small, large])
    assert plan.assignments == {UUID(int=1): UUID(int=2), UUID(int=2): UUID(int=1)}


def test_nothing_to_place_and_nothing_to_place_it_on():
    nothing = plan_of([fleets.server()], [])
    assert (nothing.assignments, nothing.gap, nothing.proven) == ({}, 0.0, True)
    order = WaitingOrder(UUID(int=1), ServerWant())
    no_stock = plan_of([], [order])
    assert (no_stock.unplaced, no_stock.bound, no_stock.proven) == ((UUID(int=1),), 0, True)


def test_a_plan_travels_as_json():
    plan = plan_of(*contended(1))
    assert msgspec.json.decode(msgspec.json.encode(plan), type=BatchPlan) == plan


def test_where_the_search_cannot_run_the_greedy_plan_stands():
    """Sizes whose sum leaves 64 bits: CP-SAT rejects such a model."""
    disks = (DiskFacts(DiskKind.nvme, 2**66),)
    found = [fleets.server(number, disks=disks) for number in (1, 2)]
    found[1] = msgspec.structs.replace(found[1], cpu_model="E-2388G", ram_gb=64)
    orders = [WaitingOrder(UUID(int=number), ServerWant()) for number in (1, 2)]
    plan = plan_of(found, orders)
    assert len(plan.assignments) == 2
    assert not plan.proven
    check(plan, found, orders)


def test_even_without_time_a_higher_priority_goes_first():
    found = [fleets.server(1, ram_gb=64)]
    low = WaitingOrder(UUID(int=1), ServerWant(ram_gb=64))
    high = WaitingOrder(UUID(int=2), ServerWant(), priority=5)
    assert plan_of(found, [low, high], limit=0.0).unplaced == (UUID(int=1),)
