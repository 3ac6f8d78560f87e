"""Prefix arithmetic, against the standard library's own enumeration."""

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.ipam.errors import OutsidePrefix
from app.ipam.prefixes import (
    address_at,
    offset_of,
    subnet_at,
    subnet_count,
    subnet_index,
    unusable_offsets,
    usable_size,
)


@pytest.mark.parametrize(
    ("network", "gateway", "unusable", "usable"),
    [
        ("192.0.2.0/24", "192.0.2.1", {0, 1, 255}, 254),
        ("192.0.2.0/24", None, {0, 255}, 254),
        ("192.0.2.0/24", "198.51.100.1", {0, 255}, 254),
        ("192.0.2.0/30", "192.0.2.2", {0, 2, 3}, 2),
        ("192.0.2.4/31", None, set(), 2),
        ("192.0.2.4/31", "192.0.2.4", {0}, 2),
        ("192.0.2.9/32", None, set(), 1),
        ("192.0.2.9/32", "192.0.2.1", set(), 1),
        ("2001:db8::/64", "2001:db8::1", {0, 1}, 2**64 - 1),
        ("2001:db8::/64", "fe80::1", {0}, 2**64 - 1),
        ("2001:db8::/126", None, {0}, 3),
        ("2001:db8::/127", None, set(), 2),
        ("2001:db8::7/128", None, set(), 1),
    ],
)
def test_what_is_never_handed_out(network, gateway, unusable, usable):
    prefix = ip_network(network)
    assert unusable_offsets(prefix, gateway and ip_address(gateway)) == unusable
    assert usable_size(prefix) == usable


@given(st.integers(8, 30), st.integers(0, 2**32 - 1))
def test_hosts_of_an_ipv4_prefix_are_what_the_standard_library_says(length, number):
    prefix = ip_network((number, length), strict=False)
    assert usable_size(prefix) == prefix.num_addresses - 2
    if length >= 24:
        usable = [
            address_at(prefix, offset)
            for offset in range(prefix.num_addresses)
            if offset not in unusable_offsets(prefix)
        ]
        assert usable == list(prefix.hosts())


def test_offsets_go_there_and_back():
    prefix = ip_network("2001:db8::/64")
    assert str(address_at(prefix, 2**64 - 1)) == "2001:db8::ffff:ffff:ffff:ffff"
    assert offset_of(prefix, ip_address("2001:db8::10")) == 16


@pytest.mark.parametrize("offset", [-1, 256])
def test_an_offset_beyond_the_prefix_is_refused(offset):
    with pytest.raises(OutsidePrefix, match=f"Offset {offset}") as refusal:
        address_at(ip_network("192.0.2.0/24"), offset)
    assert refusal.value.network == "192.0.2.0/24"


@pytest.mark.parametrize("address", ["192.0.3.0", "2001:db8::1"])
def test_a_foreign_address_has_no_offset(address):
    with pytest.raises(OutsidePrefix):
        offset_of(ip_network("192.0.2.0/24"), ip_address(address))


@pytest.mark.parametrize(("prefix", "length"), [("10.0.0.0/22", 26), ("2001:db8::/58", 64)])
def test_subnets_are_numbered_in_the_order_of_the_standard_library(prefix, length):
    network = ip_network(prefix)
    subnets = list(network.subnets(new_prefix=length))
    assert subnet_count(network, length) == len(subnets)
    assert [subnet_at(network, length, index) for index in range(len(subnets))] == subnets
    assert [subnet_index(network, subnet) for subnet in subnets] == list(range(len(subnets)))


def test_the_last_64_of_a_32():
    network = ip_network("2001:db8::/32")
    last = subnet_at(network, 64, 2**32 - 1)
    assert str(last) == "2001:db8:ffff:ffff::/64"
    assert subnet_index(network, last) == 2**32 - 1


@pytest.mark.parametrize(("length", "index"), [(64, -1), (64, 2**32), (31, 0), (129, 0)])
def test_a_subnet_that_does_not_exist_is_refused(length, index):
    with pytest.raises(OutsidePrefix):
        subnet_at(ip_network("2001:db8::/32"), length, index)


@pytest.mark.parametrize("subnet", ["10.0.0.0/8", "2001:db9::/64", "2001::/16"])
def test_a_foreign_subnet_has_no_number(subnet):
    with pytest.raises(OutsidePrefix):
        subnet_index(ip_network("2001:db8::/32"), ip_network(subnet))
