"""The account of an order, re-checked by plain Python."""

from uuid import UUID

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from app.solver import account as accounts
from app.solver.account import Account, account
from app.solver.inventory import inventory_of
from app.solver.match import match
from app.solver.room import RackRoom, Side
from app.solver.want import ServerWant, StorageWant

from . import fleets, plain
from .test_sides import clients, rooms

TIERS = ("datacentre", "equivalence", "waste", "spread", "rack")


@settings(max_examples=80, deadline=None)
@given(
    fleets.servers,
    fleets.wants,
    fleets.equivalences,
    rooms,
    clients,
    fleets.avoid_racks,
    st.data(),
)
def test_every_reason_is_what_plain_python_says(
    found, want, equivalences, racks, client, crowds, data
):
    inventory = inventory_of(found, equivalences=equivalences, groups=fleets.GROUPS)
    side = Side(racks=racks, client=client)
    about = data.draw(st.sampled_from([server.id for server in found] or [UUID(int=1)]))
    told = account(inventory, want, seed=5, side=side, avoid_racks=crowds, about=about)
    matched = match(inventory, want, seed=5, side=side, avoid_racks=crowds)
    assert (told.chosen, told.explanation) == (matched.chosen, matched.explanation)
    assert told.runner_up == (matched.ranked[1] if len(matched.ranked) > 1 else None)

    def failed(server, want=want):
        return plain.failed(server, want, equivalences, fleets.GROUPS) | plain.side_failed(
            server, racks, want.most_in_rack, client, 0
        )

    by_id = {server.id: server for server in found}
    costs = {
        server.id: dict(
            zip(TIERS, plain.costs(server, want, equivalences, fleets.GROUPS, crowds), strict=True)
        )
        for server in found
        if not failed(server)
    }
    assert {one.server for one in told.candidates} == set(by_id)
    assert told.left_off == 0
    numbers = [len(one.failed) for one in told.candidates]
    assert numbers == sorted(numbers)
    for one in told.candidates:
        assert set(one.failed) == failed(by_id[one.server])
        assert one.scores == costs.get(one.server)
    check_against(told.against, costs, told.chosen, told.runner_up)
    if found:
        labels = {rule.label: rule.rule for rule in told.explanation.rules}
        assert {labels[label] for label in told.asked.failed} == failed(by_id[about])
        beaten = about in costs and about != told.chosen
        check_against(told.asked.against, costs, told.chosen, about if beaten else None)
    for pair in told.pairs:
        both = {server.id for server in found if failed(server) == {pair.first, pair.second}}
        admitted = {key for key in both if not failed(by_id[key], pair.want)}
        assert len(admitted) == pair.admits > 0
        assert pair.text.endswith(f" admits {pair.admits}")
    assert msgspec.json.decode(msgspec.json.encode(told), type=Account) == told


def check_against(scores, costs, chosen, other):
    if other is None:
        assert scores == ()
        return
    one, two = costs[chosen], costs[other]
    assert [(s.tier, s.chosen, s.other) for s in scores] == [(t, one[t], two[t]) for t in TIERS]
    decided = [score.tier for score in scores if score.decides]
    assert decided == [tier for tier in TIERS if one[tier] != two[tier]][:1]


def test_two_small_steps_together_are_told_when_neither_is_enough():
    found = [fleets.server(n + 1, ram_gb=32, cores=6) for n in range(3)]
    want = ServerWant(ram_gb=64, min_cores=8, datacentres=("ams",), datacentre_required=True)
    told = account(inventory_of(found), want, seed=1)
    assert told.explanation.relaxations == ()
    [pair] = told.pairs
    assert pair.text == "6 instead of 8 cores, and 32 instead of 64 GB of memory admits 3"
    assert match(inventory_of(found), pair.want, seed=1).chosen is not None


def test_the_racks_limits_join_a_pair_only_where_the_want_can_give_way():
    found = [fleets.server(1, power_watts=300)]
    rack = RackRoom(datacentre="ams", rack="r1", clients={"ann": 1})
    want = ServerWant(storage=(StorageWant(hardware_raid=True),), most_in_rack=1)
    side = Side(racks=(rack,), client="ann")
    [pair] = account(inventory_of(found), want, seed=1, side=side).pairs
    assert (pair.first, pair.second) == ("raid_controller", "client")
    assert pair.want.most_in_rack is None
    full = msgspec.structs.replace(rack, feed_a_watts=200, feed_b_watts=None, clients={})
    side = Side(racks=(full,), client="ann")
    assert account(inventory_of(found), want, seed=1, side=side).pairs == ()
    aside = account(inventory_of(found), want, seed=1, side=side, exclude=[UUID(int=1)])
    assert aside.pairs == ()
    two = account(inventory_of(found), ServerWant(ram_gb=64), seed=1, exclude=[UUID(int=1)])
    assert two.pairs == ()


def test_a_limit_of_the_client_is_named_as_what_to_relax():
    found = [fleets.server(1)]
    side = Side(racks=(RackRoom(datacentre="ams", rack="r1", clients={"ann": 1}),), client="ann")
    [step] = match(
        inventory_of(found), ServerWant(most_in_rack=1), seed=1, side=side
    ).explanation.relaxations
    assert step.text == "No limit in a rack instead of 1 admits 1"
    assert step.want == ServerWant()
    rack = RackRoom(datacentre="ams", rack="r1", clients={"ann": 1}, most_of_client=1)
    told = account(
        inventory_of(found), ServerWant(), seed=1, side=Side(racks=(rack,), client="ann")
    )
    assert [one.failed for one in told.candidates] == [("rack_client",)]
    [step] = told.explanation.relaxations
    assert (step.rule, step.want) == ("rack_client", None)


def test_a_server_that_is_gone_or_unknown_is_not_free():
    inventory = inventory_of([fleets.server(1), fleets.server(2)]).without([UUID(int=1)])
    for number in (1, 7):
        told = account(inventory, ServerWant(), seed=1, about=UUID(int=number))
        assert (told.asked.is_free, told.asked.failed, told.asked.against) == (False, (), ())
        assert told.chosen == UUID(int=2)


def test_the_grid_is_cut_and_says_so():
    found = [fleets.server(n + 1, ram_gb=32 * (1 + n % 2)) for n in range(150)]
    told = account(inventory_of(found), ServerWant(ram_gb=64), seed=1)
    assert len(told.candidates) == accounts.GRID
    assert told.left_off == 100
