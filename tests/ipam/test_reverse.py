"""Where in DNS the name of an address is."""

from ipaddress import ip_address, ip_network

import pytest

from app.ipam.reverse import reverse_name, usual_zone

NIBBLES = "0.0.0.0.0.0.0.0"


@pytest.mark.parametrize(
    ("address", "network", "zone", "name"),
    [
        ("192.0.2.7", "192.0.2.0/24", "", "7.2.0.192.in-addr.arpa."),
        ("192.0.2.7", "192.0.2.0/24", "2.0.192.in-addr.arpa", "7.2.0.192.in-addr.arpa."),
        ("192.0.2.7", "192.0.2.0/26", "192.in-addr.arpa.", "7.2.0.192.in-addr.arpa."),
        ("192.0.2.70", "192.0.2.64/26", "64/26.2.0.192.in-addr.arpa", "70.64/26.2.0.192.in-addr.arpa."),
        ("192.0.2.70", "192.0.2.64/26", "64-127.2.0.192.in-addr.arpa.", "70.64-127.2.0.192.in-addr.arpa."),
        ("192.0.2.9", "192.0.2.9/32", "Rev.Example.ORG", "9.rev.example.org."),
        ("10.2.1.7", "10.2.0.0/22", "rev.example.org", "7.1.rev.example.org."),
        ("2001:db8::7", "2001:db8::/64", "", f"7.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.{NIBBLES}.8.b.d.0.1.0.0.2.ip6.arpa."),
        ("2001:db8::7", "2001:db8::/124", "v6.example.org", "7.v6.example.org."),
    ],
)  # fmt: skip
def test_the_name_of_a_ptr_record(address: str, network: str, zone: str, name: str) -> None:
    assert reverse_name(ip_address(address), ip_network(network), zone) == name


@pytest.mark.parametrize(
    ("address", "network", "zone"),
    [
        ("192.0.2.7", "192.0.2.0/24", "2.0.192.in-addr.arpa"),
        ("192.0.2.70", "192.0.2.64/26", "2.0.192.in-addr.arpa"),
        ("192.0.2.9", "192.0.2.9/32", "2.0.192.in-addr.arpa"),
        ("10.4.3.1", "10.4.0.0/22", "3.4.10.in-addr.arpa"),
        ("10.4.3.1", "10.0.0.0/8", "10.in-addr.arpa"),
        ("2001:db8::7", "2001:db8::/32", "8.b.d.0.1.0.0.2.ip6.arpa"),
        ("2001:db9::7", "2001:db8::/31", "9.b.d.0.1.0.0.2.ip6.arpa"),
    ],
)
def test_the_zone_of_an_address(address: str, network: str, zone: str) -> None:
    assert usual_zone(ip_address(address), ip_network(network)) == zone
    assert reverse_name(ip_address(address), ip_network(network)).endswith(f".{zone}.")
