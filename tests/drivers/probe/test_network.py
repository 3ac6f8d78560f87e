"""Who answers at an address: real ARP and ICMP in network namespaces, and their bytes."""

import time
from collections.abc import Iterator
from ipaddress import IPv4Address

import pytest

from app.drivers.probe import arp, echo
from app.drivers.probe.network import NetworkProber
from app.drivers.probe.routes import interface_of, is_own, read_routes
from app.drivers.registry import load
from tests.drivers.probe.segment import Segment, segment, why_not

ROUTES = """\
Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0100A8C0	0003	0	0	0	00000000	0	0	0
eth0	0000A8C0	00000000	0001	0	0	0	00FFFFFF	0	0	0
eth1	0000000A	00000000	0001	0	0	0	000000FF	0	0	0
eth2	0000020A	0100A8C0	0003	0	0	0	0000FFFF	0	0	0
eth3	0000030A	00000000	0000	0	0	0	0000FFFF	0	0	0
"""


@pytest.fixture(scope="module")
def laid() -> Iterator[Segment]:
    if reason := why_not():
        pytest.skip(reason)
    with segment() as laid:
        yield laid


def test_it_is_found_by_its_name() -> None:
    assert load("probe", "network") is NetworkProber


def test_neighbours_answer_to_arp_even_where_pings_are_dropped(laid: Segment) -> None:
    laid.let_ping(is_answered=False)
    found = laid.look("198.18.0.2", "198.18.0.5", "198.18.1.9", "198.18.0.1")
    laid.let_ping(is_answered=True)
    assert set(found) == {"198.18.0.2", "198.18.0.1"}
    assert found["198.18.0.2"].endswith(" answers to ARP")
    assert found["198.18.0.1"].endswith(" has it itself")


def test_what_is_behind_a_router_and_ipv6_answer_to_ping(laid: Segment) -> None:
    began_s = time.monotonic()
    found = laid.look("198.18.1.9", "198.18.1.8", "fd00:18::2", "fd00:18::5")
    assert found == {"198.18.1.9": "it answers to ping", "fd00:18::2": "it answers to ping"}
    assert time.monotonic() - began_s < 10  # two are silent: 1.5 s, and a process to start


def test_what_cannot_be_looked_at_does_not_pass(laid: Segment) -> None:
    no_right = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-all")
    for address in ("198.18.0.5", "198.18.1.8"):
        assert "CAP_NET_RAW" in laid.look(address, without=no_right)["!"]
    assert "no way to 203.0.113.1" in laid.look("203.0.113.1")["!"]


def test_the_most_specific_route_says_who_is_a_neighbour() -> None:
    routes = read_routes(ROUTES)
    behind = {
        text: interface_of(IPv4Address(text), routes)
        for text in ("192.168.0.7", "10.9.0.1", "10.2.0.1", "10.3.0.1", "203.0.113.1")
    }
    assert behind == {
        "192.168.0.7": "eth0", "10.9.0.1": "eth1", "10.2.0.1": None, "10.3.0.1": "eth1",
        "203.0.113.1": None,
    }  # fmt: skip


def test_addresses_of_this_machine_are_its_own() -> None:
    assert is_own(IPv4Address("127.0.0.1"))
    assert not is_own(IPv4Address("203.0.113.1"))


def test_an_arp_probe_names_no_sender() -> None:
    mac = bytes.fromhex("02fe00000001")
    frame = arp.question(mac, IPv4Address("198.18.0.7"))
    assert frame.hex() == (
        "ffffffffffff02fe000000010806" "0001080006040001" "02fe0000000100000000"
        "000000000000c6120007"
    )  # fmt: skip
    assert arp.answer(frame) is None  # another's probe tells nothing of who has it
    reply = frame[:20] + b"\x00\x02" + mac + IPv4Address("198.18.0.7").packed + frame[32:]
    assert arp.answer(reply) == (IPv4Address("198.18.0.7"), "02:fe:00:00:00:01")
    assert arp.answer(reply[:30]) is None
    assert arp.answer(reply[:14] + b"\x00\x06" + reply[16:]) is None


@pytest.mark.parametrize("protocol", [echo.ICMP, echo.ICMPV6], ids=["icmp", "icmpv6"])
def test_only_the_reply_to_our_own_request_counts(protocol: echo.Protocol) -> None:
    token = b"0123456789abcdef"
    asked = echo.question(protocol, token)
    assert echo.checksum(asked) == 0
    reply = bytes([protocol.reply]) + asked[1:]
    assert echo.is_answer(protocol, reply, token)
    if protocol is echo.ICMP:
        assert echo.is_answer(protocol, b"\x45" + bytes(19) + reply, token)
    for other in (asked, reply[:-1] + b"!", b"\x03" + reply[1:], b""):
        assert not echo.is_answer(protocol, other, token)
