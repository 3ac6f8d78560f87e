"""Which addresses flows may call, whatever way they are written."""

import pytest
from pydantic import ValidationError

from app.drivers.egress import Egress, EgressDenied
from app.settings import Settings

INSIDE = (
    "127.0.0.1", "::1", "0.0.0.0", "::",  # this machine
    "10.0.0.7", "172.16.0.1", "192.168.1.1", "fd00::7", "100.64.0.1",  # networks of our own
    "169.254.1.1", "fe80::1", "fe80::1%eth0", "fec0::1",  # this link, this site
    "169.254.169.254", "fd00:ec2::254", "100.100.100.200", "168.63.129.16", "192.0.0.192",
    "224.0.0.1", "ff02::1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1",
    "::ffff:10.0.0.7", "::ffff:169.254.169.254",  # IPv4 in an IPv6 dress
    "64:ff9b::10.0.0.7", "64:ff9b::169.254.169.254", "64:ff9b:1::10.0.0.7",
    "2002:7f00:1::1", "2001:0:7f00:1::1", "::127.0.0.1",
    "", "example.org", "127.1", "10.0.0.0/8",  # no addresses
)  # fmt: skip
OUTSIDE = ("9.9.9.9", "2620:fe::fe", "::ffff:9.9.9.9", "64:ff9b::9.9.9.9")


@pytest.mark.parametrize("address", INSIDE)
def test_what_is_not_on_the_public_internet_is_denied(address: str) -> None:
    assert not Egress().allows(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_internet_is_allowed(address: str) -> None:
    assert Egress().allows(address)


def test_the_provider_allows_networks_besides() -> None:
    egress = Egress(["10.1.0.0/16", "fd00:1::/32", "127.0.0.1"])
    for address in ("10.1.2.3", "::ffff:10.1.2.3", "fd00:1::7", "127.0.0.1", "9.9.9.9"):
        assert egress.allows(address)
    for address in ("10.2.0.1", "fd00:2::7", "127.0.0.2", "::1"):
        assert not egress.allows(address)


def test_of_several_addresses_those_allowed_are_left_in_their_order() -> None:
    assert Egress().choose("peer", ["10.0.0.1", "9.9.9.9", "::1", "9.9.9.10"]) == [
        "9.9.9.9",
        "9.9.9.10",
    ]
    assert Egress().choose("peer", []) == []
    with pytest.raises(EgressDenied, match=r"may not call 10\.0\.0\.1.*SLIPWAY_EGRESS_ALLOW"):
        Egress().choose("peer", ["10.0.0.1", "::1"])


def test_what_is_no_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"10\.0\.0\.0/33"):
        Egress(["10.0.0.0/33"])


def test_the_setting_names_networks() -> None:
    settings = Settings(_env_file=None, egress_allow=" 10.20.0.0/16,, ::1 ")
    assert settings.egress_networks == ("10.20.0.0/16", "::1")
    assert Egress(settings.egress_networks).allows("10.20.1.1")
    assert Settings(_env_file=None).egress_networks == ()
    with pytest.raises(ValidationError, match="localhost is no network"):
        Settings(_env_file=None, egress_allow="10.0.0.0/8,localhost")
