"""Dynamic updates against a real Knot and a real BIND."""

import asyncio
import contextlib
import struct
from collections.abc import AsyncIterator

import pytest

from app.drivers.dns.contract import RecordSet, RecordType
from app.drivers.dns.records import record_set
from app.drivers.dns.rfc2136 import Rfc2136
from app.drivers.egress import Egress, EgressDenied
from app.drivers.errors import Refused, Retriable, Unanswered, Unauthorised, Unreachable
from app.drivers.registry import load
from app.drivers.secret import Secret
from tests.drivers.dns.name_server import READER, SECRET, NameServer
from tests.drivers.process import free_port

DNS = Rfc2136(Egress(["127.0.0.0/8"]))
A, AAAA, CNAME, PTR, TXT = RecordType


def a(name: str, *values: str, ttl_s: int = 300) -> RecordSet:
    return record_set(f"{name}.example.org", A, values, ttl_s)


def test_it_is_found_by_its_name() -> None:
    assert load("dns", "rfc2136") is Rfc2136


@pytest.mark.parametrize(
    ("name", "kind", "values", "seen"),
    [
        ("one.example.org", A, ["192.0.2.7"], ["192.0.2.7"]),
        ("one.example.org.", AAAA, ["2001:DB8::7"], ["2001:db8::7"]),
        ("www.example.org", CNAME, ["one.example.org"], ["one.example.org."]),
        ("192.0.2.7", PTR, ["one.example.org"], ["one.example.org."]),
        ("8.2.0.192.in-addr.arpa", PTR, ["two.example.org."], ["two.example.org."]),
        ("_acme.example.org", TXT, ['say "hi"; ok\\'], ['"say \\"hi\\"; ok\\\\"']),
        ("long.example.org", TXT, ["x" * 300], ['"' + "x" * 255 + '" "' + "x" * 45 + '"']),
        ("bücher.example.org", A, ["192.0.2.8", "192.0.2.7"], ["192.0.2.7", "192.0.2.8"]),
    ],
)
async def test_records_are_created_read_and_removed(
    ns1: NameServer, name: str, kind: RecordType, values: list[str], seen: list[str]
) -> None:
    records = record_set(name, kind, values, 120)
    for _ in range(2):  # the same again is no error
        await DNS.create(ns1.server(), records)
    assert ns1.has(records.name, kind) == seen
    assert await DNS.read(ns1.server(), name, kind) == records
    assert await DNS.delete(ns1.server(), name, kind) == records
    assert await DNS.delete(ns1.server(), name, kind) is None
    assert ns1.has(records.name, kind) == []
    assert await DNS.read(ns1.server(), name, kind) is None


async def test_create_leaves_alone_what_is_there(ns1: NameServer) -> None:
    with pytest.raises(Refused, match=r"A 192\.0\.2\.9 already"):
        await DNS.create(ns1.server(), a("taken", "192.0.2.7"))
    assert ns1.has("taken.example.org", "A") == ["192.0.2.9"]


async def test_replace_says_what_there_was(ns1: NameServer) -> None:
    first, second = a("swap", "192.0.2.7", "192.0.2.8"), a("swap", "192.0.2.9", ttl_s=60)
    assert await DNS.replace(ns1.server(), first) is None
    assert await DNS.replace(ns1.server(), first) == first
    assert await DNS.replace(ns1.server(), second) == first
    assert ns1.has("swap.example.org", "A") == ["192.0.2.9"]
    assert await DNS.replace(ns1.server(), first) == second


async def test_single_values_are_removed(ns1: NameServer) -> None:
    both = a("two", "192.0.2.7", "192.0.2.8")
    await DNS.create(ns1.server(), both)
    assert await DNS.delete(ns1.server(), both.name, A, ("192.0.2.7",)) == both
    assert ns1.has("two.example.org", "A") == ["192.0.2.8"]


async def test_two_who_replace_at_once_do_not_lose_each_other(ns1: NameServer) -> None:
    """Each was told what it took the place of: their changes form one chain."""
    wanted = [a("race", f"192.0.2.{i}") for i in range(20, 26)]

    async def put(records: RecordSet) -> RecordSet | None:
        while True:
            with contextlib.suppress(Retriable):
                return await DNS.replace(ns1.server(), records)

    befores = await asyncio.gather(*(put(records) for records in wanted))
    last = await DNS.read(ns1.server(), "race.example.org", A)
    assert sorted(map(str, [*befores, last])) == sorted(map(str, [None, *wanted]))


async def test_a_change_that_is_taken_and_not_followed_is_refused(ns1: NameServer) -> None:
    with pytest.raises(Refused, match="is there a CNAME beside it"):
        await DNS.create(ns1.server(), a("alias", "192.0.2.7"))
    assert "192.0.2.7" not in ns1.has("alias.example.org", "A")


async def test_a_name_outside_of_the_zones(ns1: NameServer) -> None:
    for zones, name in ((("example.org",), "www.example.net"), ((), "www.example.org")):
        with pytest.raises(Refused, match="none of the zones"):
            await DNS.create(ns1.server(zones=zones), record_set(name, A, ["192.0.2.7"], 60))
    with pytest.raises(Unauthorised, match=r"not signed|may not change this zone"):
        await DNS.create(
            ns1.server(zones=("example.net",)), record_set("x.example.net", A, ["192.0.2.7"], 60)
        )


@pytest.mark.parametrize(
    "facts",
    [
        {"secret": Secret("d3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmcgd3Jvbmc=")},
        {"key_name": "nobody"},
        {"key_name": "reader", "secret": Secret(READER)},
    ],
)
async def test_a_key_that_may_not_change_it(ns1: NameServer, facts: dict[str, object]) -> None:
    server = ns1.server(**facts)
    for call in (DNS.create(server, a("key", "192.0.2.7")), DNS.check(server)):
        with pytest.raises(Unauthorised) as failed:
            await call
        assert SECRET not in str(failed.value)
    assert ns1.has("key.example.org", "A") == []


@pytest.mark.parametrize(
    "facts", [{"secret": Secret("no base64!")}, {"algorithm": "hmac-rot13"}, {"key_name": "a..b"}]
)
async def test_a_key_that_is_none(ns1: NameServer, facts: dict[str, object]) -> None:
    with pytest.raises(Refused, match="key: it is not usable"):
        await DNS.check(ns1.server(**facts))


async def test_a_check_changes_nothing(ns1: NameServer) -> None:
    before = ns1.has("example.org", "SOA")
    assert await DNS.check(ns1.server()) == "may change example.org, 2.0.192.in-addr.arpa"
    assert ns1.has("example.org", "SOA") == before
    with pytest.raises(Refused, match="zones"):
        await DNS.check(ns1.server(zones=()))


async def test_nobody_listens(ns1: NameServer) -> None:
    with pytest.raises(Unreachable):
        await DNS.check(ns1.server(port=free_port()))


@pytest.fixture(params=[b"", struct.pack("!H", 4) + b"junk"])
async def faulty(request: pytest.FixtureRequest) -> AsyncIterator[int]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1_000)
        writer.write(request.param)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()


async def test_an_answer_that_is_none(ns1: NameServer, faulty: int) -> None:
    with pytest.raises(Unanswered):
        await DNS.check(ns1.server(port=faulty))


async def test_the_egress_policy_holds_for_dns(ns1: NameServer) -> None:
    with pytest.raises(EgressDenied):
        await Rfc2136(Egress()).check(ns1.server())
