"""Gaps between prefixes, against the standard library's own subtraction."""

from ipaddress import IPv4Network, collapse_addresses, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from app.ipam.gaps import free_networks, gaps, lowest_free_network

NET = IPv4Network("10.0.0.0/24")


def nets(*texts: str) -> list[IPv4Network]:
    return [IPv4Network(text) for text in texts]


def test_gaps_are_runs_whatever_their_length() -> None:
    parts = nets("10.0.0.128/26", "10.0.0.0/26")
    assert [(str(first), str(last)) for first, last in gaps(NET, parts)] == [
        ("10.0.0.64", "10.0.0.127"), ("10.0.0.192", "10.0.0.255"),
    ]  # fmt: skip
    assert gaps(NET, [NET]) == []
    assert gaps(NET, []) == [(NET[0], NET[-1])]


def test_the_lowest_subnet_that_fits() -> None:
    parts = nets("10.0.0.0/27", "10.0.0.64/26")
    assert str(lowest_free_network(NET, parts, 28)) == "10.0.0.32/28"
    assert str(lowest_free_network(NET, parts, 26)) == "10.0.0.128/26"
    assert lowest_free_network(NET, parts, 24) is None
    six = ip_network("2001:db8::/32")
    found = lowest_free_network(six, [ip_network("2001:db8::/33")], 48)
    assert str(found) == "2001:db8:8000::/48"


@settings(max_examples=50)
@given(st.sets(st.integers(0, 31)))
def test_gaps_and_parts_fill_the_network(numbers: set[int]) -> None:
    subnets = list(NET.subnets(new_prefix=29))
    parts = [subnets[number] for number in numbers]
    free = list(free_networks(NET, parts))
    assert sum(one.num_addresses for one in (*free, *parts)) == NET.num_addresses
    assert list(collapse_addresses([*free, *parts])) == [NET]
    assert free == sorted(free)
