"""Which prefix and VLAN group an order is served from."""

from uuid import UUID

import msgspec
import pytest

from app.ipam.subnets import PrefixFacts, VlanGroupFacts, rank_prefixes, rank_vlan_groups
from app.ipam.wants import AddressKind, AddressWant

PLAIN = PrefixFacts(id=UUID(int=1), network="10.0.1.0/24", datacentre="ams", free=100)
WANT = AddressWant(item="ip4:primary", kind=AddressKind.ip4, prefix_length=32)
NETWORK = AddressWant(item="ip6net:primary", kind=AddressKind.ip6net, prefix_length=64)


def facts(network="10.0.2.0/24", **changed):
    return msgspec.structs.replace(PLAIN, id=UUID(int=2), network=network, **changed)


def ranked(candidates, want=WANT, *, rack="r1", **changed):
    wanted = msgspec.structs.replace(want, **changed)
    return [
        prefix.network for prefix in rank_prefixes(candidates, wanted, datacentre="ams", rack=rack)
    ]


@pytest.mark.parametrize(
    "unfit",
    [
        facts("2001:db8::/48"),
        facts(auto_allocatable=False),
        facts(datacentre="fra"),
        facts(rack="r2"),
        facts(purpose="management"),
        facts(free=0),
    ],
)
def test_a_prefix_that_does_not_fit_is_left_out(unfit):
    assert ranked([unfit, PLAIN]) == ["10.0.1.0/24"]


def test_a_prefix_of_a_rack_does_not_serve_a_machine_in_none():
    assert ranked([facts(rack="r1"), PLAIN], rack=None) == ["10.0.1.0/24"]


def test_a_network_needs_a_prefix_that_is_no_longer_and_has_room_for_all_of_it():
    candidates = [
        facts("2001:db8:1::/56", free=200),
        facts("2001:db8:2::/60", free=16),
        facts("2001:db8:3::/48", free=256),
        PLAIN,
    ]
    assert ranked(candidates, NETWORK, prefix_length=56) == ["2001:db8:3::/48"]
    assert len(ranked(candidates, NETWORK)) == 3


def test_the_nearest_goes_first_then_the_fullest_then_the_lowest():
    candidates = [
        facts("10.0.9.0/24", datacentre=None, free=1),
        facts("10.0.5.0/24", free=20),
        facts("10.0.4.0/24", free=20),
        facts("10.0.3.0/24", free=90),
        facts("10.0.8.0/24", rack="r1", free=99),
    ]
    assert ranked(candidates) == [
        "10.0.8.0/24",
        "10.0.4.0/24",
        "10.0.5.0/24",
        "10.0.3.0/24",
        "10.0.9.0/24",
    ]


def test_the_list_of_the_product_goes_before_all_else():
    candidates = [PLAIN, facts("10.0.2.0/24", rack="r1"), facts("10.0.3.0/24", free=200)]
    wanted = ("10.0.3.0/24", "10.0.1.0/24")
    assert ranked(candidates, prefixes=wanted) == ["10.0.3.0/24", "10.0.1.0/24", "10.0.2.0/24"]
    assert ranked(candidates, prefixes=wanted, prefixes_required=True) == list(wanted)


def test_a_purpose_must_match_but_for_a_prefix_that_is_listed_by_name():
    candidates = [PLAIN, facts(purpose="additional")]
    assert ranked(candidates, purpose="additional") == ["10.0.2.0/24"]
    assert ranked(candidates, prefixes=("10.0.2.0/24",)) == ["10.0.2.0/24", "10.0.1.0/24"]
    assert ranked(candidates, purpose="voip", prefixes=("10.0.2.0/24",)) == []


def test_a_vlan_is_not_taken_from_a_prefix():
    vlan = AddressWant(item="vlan:primary", kind=AddressKind.vlan, prefix_length=0)
    assert ranked([PLAIN], vlan) == []


def test_vlan_groups_nearest_fullest_and_bound_to_the_prefix():
    def group(number, name, **changed):
        plain = VlanGroupFacts(id=UUID(int=number), name=name, datacentre="ams", free=10)
        return msgspec.structs.replace(plain, **changed)

    groups = [
        group(1, "everywhere", datacentre=None),
        group(2, "b"),
        group(3, "a"),
        group(4, "fuller", free=5),
        group(5, "of the rack", rack="r1"),
        group(6, "of another rack", rack="r2"),
        group(7, "elsewhere", datacentre="fra"),
        group(8, "full", free=0),
        group(9, "by hand only", auto_allocatable=False),
        group(10, "where others are first", free=1, contended=True),
    ]

    def names(**place):
        return [found.name for found in rank_vlan_groups(groups, datacentre="ams", **place)]

    assert names(rack="r1") == [
        "of the rack",
        "fuller",
        "a",
        "b",
        "where others are first",
        "everywhere",
    ]
    assert names(rack="r1", group=UUID(int=2)) == ["b"]
    assert names(rack="r1", group=UUID(int=6)) == []


def test_a_prefix_of_just_the_wanted_length_serves():
    assert ranked([facts("2001:db8::/56", free=256)], NETWORK, prefix_length=56) == [
        "2001:db8::/56"
    ]
