"""One order: every choice, count and reason re-checked by a matcher in plain Python."""

from collections import Counter
from itertools import combinations, islice
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.solver import score
from app.solver.batch import WaitingOrder
from app.solver.capacity import how_many
from app.solver.inventory import DiskFacts, Equivalence, inventory_of, size_of
from app.solver.match import Match, match
from app.solver.room import RackRoom, Side
from app.solver.want import DiskKind, ServerWant, StorageWant

from . import fleets, plain
from .test_sides import rooms

CASES = settings(max_examples=80, deadline=None)
FEWER = settings(max_examples=30, deadline=None)


def answer(found, want, equivalences=(), **asked):
    inventory = inventory_of(found, equivalences=equivalences, groups=fleets.GROUPS)
    return match(inventory, want, **{"seed": 1, **asked})


@CASES
@given(
    fleets.servers,
    fleets.wants,
    fleets.equivalences,
    fleets.avoid_racks,
    st.integers(0, 2**128),
    st.data(),
)
def test_the_ranking_is_what_plain_python_says(found, want, equivalences, avoid, seed, data):
    ids = [server.id for server in found]
    exclude = data.draw(st.sets(st.sampled_from(ids), max_size=2)) if ids else set()
    result = answer(found, want, equivalences, seed=seed, avoid_racks=avoid, exclude=exclude)
    eligible = {
        server.id: plain.costs(server, want, equivalences, fleets.GROUPS, avoid)
        for server in found
        if not plain.failed(server, want, equivalences, fleets.GROUPS, exclude)
    }
    assert set(result.ranked) == set(eligible)
    assert [eligible[key] for key in result.ranked] == sorted(eligible.values())
    assert result.chosen == (result.ranked[0] if eligible else None)
    again = answer(
        reversed(found), want, equivalences, seed=seed, avoid_racks=avoid, exclude=exclude
    )
    assert again == result


@CASES
@given(fleets.servers, fleets.wants, fleets.equivalences, st.data())
def test_the_explanation_is_what_plain_python_says(found, want, equivalences, data):
    ids = [server.id for server in found]
    exclude = data.draw(st.sets(st.sampled_from(ids), max_size=2)) if ids else set()
    account = answer(found, want, equivalences, exclude=exclude).explanation
    patterns = Counter(
        plain.failed(server, want, equivalences, fleets.GROUPS, exclude) for server in found
    )
    assert account.total == len(found)
    assert account.eligible == patterns[frozenset()]
    counted = {rule.rule: rule for rule in account.rules}
    assert set().union(*patterns) <= set(counted)
    for name, rule in counted.items():
        assert rule.eliminated == sum(n for failed, n in patterns.items() if name in failed)
        assert rule.eliminated_alone == patterns[frozenset({name})]
        assert rule.label
    pairs = {frozenset({pair.first, pair.second}): pair for pair in account.pairs}
    for pair in map(frozenset, combinations(counted, 2)):
        both = sum(n for failed, n in patterns.items() if pair <= failed)
        if both:
            assert pairs[pair].eliminated == both
            assert pairs[pair].eliminated_alone == patterns[pair]
        else:
            assert pair not in pairs


@CASES
@given(fleets.servers, fleets.wants, fleets.equivalences, st.data())
def test_each_relaxation_admits_what_it_says(found, want, equivalences, data):
    ids = [server.id for server in found]
    exclude = data.draw(st.sets(st.sampled_from(ids), max_size=2)) if ids else set()

    def eligible(want, exclude=exclude):
        return {
            server.id
            for server in found
            if not plain.failed(server, want, equivalences, fleets.GROUPS, exclude)
        }

    account = answer(found, want, equivalences, exclude=exclude).explanation
    now = eligible(want)
    for step in account.relaxations:
        then = eligible(want, exclude=()) if step.want is None else eligible(step.want)
        assert now < then
        assert step.admits == len(then) - len(now)
        assert step.text.endswith(f" admits {step.admits}")
    assert [step.admits for step in account.relaxations] == sorted(
        (step.admits for step in account.relaxations), reverse=True
    )
    relaxed = {step.rule for step in account.relaxations}
    for rule in account.rules:
        if rule.rule != "storage":
            assert (rule.rule in relaxed) == (rule.eliminated_alone > 0)


@CASES
@given(fleets.servers, fleets.wants)
def test_memory_and_cores_are_relaxed_no_further_than_needed(found, want):
    account = answer(found, want).explanation
    for step in account.relaxations:
        for field, fact, rule in (("ram_gb", "ram_gb", "ram"), ("min_cores", "cores", "cores")):
            if step.rule == rule and getattr(step.want, field) < getattr(want, field):
                admitted = [
                    getattr(server, fact)
                    for server in found
                    if plain.failed(server, want, (), fleets.GROUPS) == {rule}
                    and getattr(server, fact) < getattr(want, field)
                ]
                assert getattr(step.want, field) == max(admitted)


@CASES
@given(
    st.lists(fleets.disks, max_size=3).map(tuple),
    st.lists(fleets.storage_wants, max_size=3).map(tuple),
)
def test_disks_are_shared_out_as_by_trying_everything(disks, storage):
    server = fleets.server(disks=disks, raid_controller="PERC")
    result = answer([server], ServerWant(storage=storage))
    assert (result.chosen is not None) == plain.storage_fits(server, storage)


@FEWER
@given(fleets.servers, fleets.wants)
def test_stock_is_the_number_of_servers_that_serve(found, want):
    inventory = inventory_of(found, groups=fleets.GROUPS)
    count = sum(not plain.failed(server, want, (), fleets.GROUPS) for server in found)
    assert how_many(inventory, want) == count


@FEWER
@given(fleets.servers, fleets.wants, rooms)
def test_stock_is_never_less_than_what_the_racks_admit(found, want, racks):
    inventory = inventory_of(found, groups=fleets.GROUPS)
    fitting = [s for s in found if not plain.failed(s, want, (), fleets.GROUPS)]
    order = WaitingOrder(UUID(int=1), want)
    most = max(
        number
        for number in range(len(fitting) + 1)
        for some in islice(combinations(fitting, number), 200)
        if plain.racks_admit([(server, order) for server in some], [order], racks)
    )
    assert most <= how_many(inventory, want, racks) <= len(fitting)


def test_stock_stops_at_the_power_of_its_racks():
    found = [fleets.server(n + 1, rack=f"r{n % 2}", power_watts=300) for n in range(8)]
    rack = RackRoom(datacentre="ams", rack="r1", feed_a_watts=650, feed_b_watts=2_000)
    assert how_many(inventory_of(found), ServerWant(), (rack,)) == 4 + 2


@FEWER
@given(fleets.servers)
def test_sizes_are_what_plain_python_says(found):
    assert [size_of(server) for server in found] == [plain.size(server) for server in found]


@FEWER
@given(fleets.servers, fleets.wants, st.data())
def test_servers_set_aside_take_no_part(found, want, data):
    ids = [server.id for server in found]
    gone = data.draw(st.sets(st.sampled_from(ids))) if ids else set()
    inventory = inventory_of(found, groups=fleets.GROUPS)
    left = [server for server in found if server.id not in gone]
    expected = match(inventory_of(left, groups=fleets.GROUPS), want, seed=3)
    unknown = UUID(int=1)
    assert match(inventory.without([*gone, unknown]), want, seed=3) == expected
    kept = inventory.only({*ids} - gone)
    assert match(kept, want, seed=3) == expected
    assert len(kept) == len(left)


def test_equals_are_drawn_evenly_and_the_same_seed_draws_the_same():
    inventory = inventory_of([fleets.server(number) for number in range(1, 101)])
    drawn = Counter(match(inventory, ServerWant(), seed=seed).chosen for seed in range(3000))
    assert len(drawn) == 100
    assert max(drawn.values()) < 65
    assert match(inventory, ServerWant(), seed=5) == match(inventory, ServerWant(), seed=5)


def test_of_many_the_best_32_are_ranked():
    found = [fleets.server(number, ram_gb=number // 10 + 1) for number in range(1, 301)]
    ranked = answer(found, ServerWant()).ranked
    sizes = [plain.size(found[key.int - 1]) for key in ranked]
    assert len(set(ranked)) == 32
    assert sizes == sorted(plain.size(server) for server in found)[:32]


def test_a_stand_in_serves_in_one_direction_only_and_comes_last():
    found = [fleets.server(1, cpu_model="E-2388G"), fleets.server(2, ram_gb=512)]
    links = [Equivalence("E-2386G", "E-2388G", 2)]
    small = ServerWant(cpu_models=("E-2386G",))
    assert answer(found, small, links).ranked == (UUID(int=2), UUID(int=1))
    large = ServerWant(cpu_models=("E-2388G",))
    assert answer(found, large, links).ranked == (UUID(int=1),)


def test_a_large_machine_is_kept_for_a_large_order():
    found = [fleets.server(1, ram_gb=512), fleets.server(2, ram_gb=64)]
    assert answer(found, ServerWant(ram_gb=32)).chosen == UUID(int=2)
    assert answer(found, ServerWant(ram_gb=128)).chosen == UUID(int=1)


def test_the_explanation_says_what_would_admit_more():
    found = [
        *(fleets.server(number, ram_gb=32) for number in range(1, 13)),
        fleets.server(20, datacentre="fra", ram_gb=64),
        fleets.server(21, ram_gb=64, disks=()),
    ]
    want = ServerWant(
        ram_gb=64,
        datacentres=("ams",),
        datacentre_required=True,
        storage=(StorageWant(kind=DiskKind.nvme, capacity_gb=960, count=2, raid=1),),
    )
    account = answer(found, want, exclude=[UUID(int=12)]).explanation
    assert (account.total, account.eligible) == (14, 0)
    assert [(rule.label, rule.eliminated, rule.eliminated_alone) for rule in account.rules] == [
        ("Not set aside for this order", 1, 0),
        ("In ams", 1, 1),
        ("At least 64 GB of memory", 12, 11),
        ("2 NVMe disks of at least 960 GB in RAID 1", 1, 1),
    ]
    assert [step.text for step in account.relaxations] == [
        "32 instead of 64 GB of memory admits 11",
        "fra as well admits 1",
    ]


@pytest.mark.parametrize(
    ("want", "texts"),
    [
        (
            ServerWant(ram_gb=48, ram_exact=True),
            {
                "48 GB of memory or more instead of exactly 48 admits 1",
                "32 GB of memory or more instead of exactly 48 admits 2",
            },
        ),
        (ServerWant(min_cores=8), {"6 instead of 8 cores admits 2"}),
        (
            ServerWant(cpu_group="large", cpu_models=("Xeon 4310",)),
            {"CPU E-2386G as well admits 2"},
        ),
        (
            ServerWant(storage=(StorageWant(capacity_gb=500, hardware_raid=True),)),
            {"Software RAID instead of a RAID controller admits 2"},
        ),
        (
            ServerWant(storage=(StorageWant(capacity_gb=2000),)),
            {"960 GB a disk instead of 1 disk of at least 2000 GB admits 2"},
        ),
        (
            ServerWant(storage=(StorageWant(count=3),)),
            {"2 disks instead of 3 disks of at least 1 GB admits 2"},
        ),
        (
            ServerWant(storage=(StorageWant(raid=5),)),
            {"No RAID instead of 3 disks of at least 1 GB in RAID 5 admits 2"},
        ),
        (
            ServerWant(storage=(StorageWant(kind=DiskKind.hdd, count=2),)),
            {"Any disks instead of hard in 2 hard disks of at least 1 GB admits 2"},
        ),
    ],
)
def test_relaxations_in_words(want, texts):
    found = [fleets.server(1), fleets.server(2, ram_gb=64)]
    account = answer(found, want).explanation
    assert {step.text for step in account.relaxations} == texts


def test_labels_name_the_models_and_the_group():
    want = ServerWant(cpu_models=("E-2386G",), cpu_group="large", min_cores=6, cores_exact=True)
    labels = [rule.label for rule in answer([fleets.server()], want).explanation.rules]
    assert labels == [
        "CPU E-2386G or a model of the group large, or a stand-in",
        "Exactly 6 cores",
    ]


def test_no_servers_at_all():
    want = ServerWant(
        cpu_models=("E-2386G",),
        ram_gb=1,
        racks=("r1",),
        spread_racks=True,
        datacentres=("ams",),
        datacentre_required=True,
        storage=(StorageWant(hardware_raid=True),),
    )
    result = answer([], want, avoid_racks={("ams", "r1"): 1})
    assert (result.chosen, result.ranked, result.explanation.total) == (None, (), 0)


@FEWER
@given(fleets.servers, fleets.wants, fleets.equivalences, fleets.avoid_racks)
def test_tiers_that_do_not_fit_one_number_are_packed_all_the_same(found, want, equivalences, avoid):
    usual = answer(found, want, equivalences, avoid_racks=avoid)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(score, "LARGEST_KEY", 1)
        assert answer(found, want, equivalences, avoid_racks=avoid) == usual


@FEWER
@given(fleets.wants)
def test_wants_travel_as_json(want):
    assert msgspec.json.decode(msgspec.json.encode(want), type=ServerWant) == want


def test_answers_travel_as_json_and_misspelt_rules_are_noticed():
    result = answer([fleets.server()], ServerWant(ram_gb=64))
    assert msgspec.json.decode(msgspec.json.encode(result), type=Match) == result
    for text in (b'{"ram": 64}', b'{"ram_gb": 0}', b'{"storage": [{"raid": 7}]}'):
        with pytest.raises(msgspec.ValidationError):
            msgspec.json.decode(text, type=ServerWant)


def test_the_cheapest_equivalence_of_several_counts():
    found = [
        fleets.server(1, cpu_model="E-2388G", ram_gb=512),
        fleets.server(2, cpu_model="Xeon 4310"),
    ]
    links = [
        Equivalence("E-2386G", "E-2388G", 5),
        Equivalence("EPYC 7443P", "E-2388G", 1),
        Equivalence("E-2386G", "Xeon 4310", 3),
    ]
    want = ServerWant(cpu_models=("E-2386G", "EPYC 7443P"))
    assert answer(found, want, links).ranked == (UUID(int=1), UUID(int=2))


def test_racks_of_the_client_matter_only_where_the_order_asks_to_spread():
    found = [fleets.server(1, rack="r1"), fleets.server(2, rack="r2")]
    busy = {("ams", "r1"): 2, ("ams", "r2"): 1}
    spread = {
        answer(found, ServerWant(spread_racks=True), avoid_racks=busy, seed=seed).chosen
        for seed in range(20)
    }
    assert spread == {UUID(int=2)}
    close = {answer(found, ServerWant(), avoid_racks=busy, seed=seed).chosen for seed in range(20)}
    assert close == {UUID(int=1), UUID(int=2)}


def test_racks_of_one_name_in_two_datacentres_are_two_racks():
    found = [fleets.server(1, datacentre="ams"), fleets.server(2, datacentre="fra")]
    busy = {("ams", "r1"): 1}
    spread = ServerWant(spread_racks=True)
    assert answer(found, spread, avoid_racks=busy, seed=1).ranked[0] == UUID(int=2)
    preferred = answer(found, ServerWant(racks=("fra/r1", "r1")), seed=1)
    assert preferred.ranked == (UUID(int=2), UUID(int=1))
    rooms = (RackRoom(datacentre="ams", rack="r1", clients={"ann": 1}),)
    limited = answer(
        found, ServerWant(most_in_rack=1), seed=1, side=Side(racks=rooms, client="ann")
    )
    assert limited.ranked == (UUID(int=2),)


def test_a_datacentre_that_is_listed_twice_has_its_first_place():
    found = [fleets.server(1, datacentre="ams"), fleets.server(2, datacentre="fra")]
    want = ServerWant(datacentres=("ams", "fra", "ams"))
    assert answer(found, want).chosen == UUID(int=1)


@pytest.mark.parametrize(("disks", "fits"), [(5, False), (6, True)])
def test_raid_10_takes_its_disks_in_pairs(disks, fits):
    server = fleets.server(disks=(DiskFacts(DiskKind.ssd, 480, disks),))
    want = ServerWant(storage=(StorageWant(count=5, raid=10),))
    assert (answer([server], want).chosen is not None) == fits


def test_the_smallest_step_in_capacity_is_told():
    found = [
        fleets.server(number, disks=(DiskFacts(DiskKind.nvme, capacity),))
        for number, capacity in enumerate([480, 960, 960, 240], 1)
    ]
    want = ServerWant(storage=(StorageWant(kind=DiskKind.nvme, capacity_gb=1920),))
    assert [step.text for step in answer(found, want).explanation.relaxations] == [
        "960 GB a disk instead of 1 NVMe disk of at least 1920 GB admits 2"
    ]


def test_a_few_equals_are_drawn_evenly_too():
    inventory = inventory_of([fleets.server(number) for number in range(1, 6)])
    drawn = Counter(match(inventory, ServerWant(), seed=seed).chosen for seed in range(1000))
    assert len(drawn) == 5
    assert max(drawn.values()) < 260
