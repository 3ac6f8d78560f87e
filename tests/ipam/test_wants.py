"""What an order needs, item by item."""

import msgspec
import pytest

from app.core.errors import Invalid
from app.ipam.choice import Strategy
from app.ipam.wants import AddressKind, AddressRules, AddressWant, wants_of


def test_a_usual_server_with_two_additional_addresses():
    rules = AddressRules(
        primary_purpose="customers",
        primary_prefixes=("192.0.2.0/24",),
        extra_purpose="additional",
        prefixes_required=True,
        strategy=Strategy.random,
    )
    primary, first, second, network, vlan = wants_of(rules, 2)
    assert primary == AddressWant(
        item="ip4:primary",
        kind=AddressKind.ip4,
        purpose="customers",
        prefix_length=32,
        strategy=Strategy.random,
        prefixes=("192.0.2.0/24",),
        prefixes_required=True,
    )
    assert [first.item, second.item] == ["ip4:extra:1", "ip4:extra:2"]
    assert (first.purpose, first.prefixes_required) == ("additional", False)
    assert (network.item, network.kind, network.prefix_length) == (
        "ip6net:primary",
        AddressKind.ip6net,
        64,
    )
    assert (vlan.item, vlan.kind, vlan.prefix_length) == ("vlan:primary", AddressKind.vlan, 0)


def test_additional_addresses_of_the_same_subnet_name_the_primary_one():
    rules = AddressRules(primary_purpose="customers", extra_same_prefix=True)
    primary, extra, *_ = wants_of(rules, 1)
    assert extra.same_prefix_as == primary.item
    assert extra.purpose == primary.purpose


def test_what_a_product_goes_without_is_not_wanted():
    wants = wants_of(AddressRules(ipv6_length=None, vlan=False))
    assert [want.item for want in wants] == ["ip4:primary"]


def test_the_items_are_the_same_each_time():
    rules = AddressRules()
    assert wants_of(rules, 5) == wants_of(rules, 5)
    assert wants_of(rules, 2)[:3] == wants_of(rules, 5)[:3]


def test_a_negative_number_is_refused():
    with pytest.raises(Invalid) as refusal:
        wants_of(AddressRules(), -1)
    assert set(refusal.value.fields) == {"extra_ipv4"}


def test_rules_and_wants_travel_as_json():
    rules = AddressRules(ipv6_length=56, strategy=Strategy.sequential)
    assert msgspec.json.decode(msgspec.json.encode(rules), type=AddressRules) == rules
    wants = wants_of(rules, 1)
    assert msgspec.json.decode(msgspec.json.encode(wants), type=tuple[AddressWant, ...]) == wants


@pytest.mark.parametrize("text", [b'{"ipv6_length": 65}', b'{"extra_purpos": "x"}'])
def test_a_misspelt_or_impossible_rule_is_noticed(text):
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(text, type=AddressRules)
