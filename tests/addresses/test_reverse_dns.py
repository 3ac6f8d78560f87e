"""Host names of addresses, from Slipway to a real BIND and out of it again."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address
from uuid import UUID, uuid4

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Invalid
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.addresses.assign import assign
from app.domain.addresses.audit import audit_addresses
from app.domain.addresses.expire import expire
from app.domain.addresses.name_address import MOST, name_address, read_hostname
from app.domain.addresses.names import NameState, NameView, count_names, list_names, names_of
from app.domain.addresses.push_names import TOLD_AFTER, intend, take_due
from app.domain.addresses.release import release
from app.domain.connections.add import add_connection
from app.domain.connections.change import change_connection
from app.domain.connections.kinds import Kind
from app.drivers.dns.contract import RecordType
from app.drivers.dns.records import record_set
from app.drivers.dns.rfc2136 import Rfc2136
from app.drivers.egress import Egress
from app.jobs.keep_names import Names
from tests.addresses.site import WHOLE, ask, ip4, lay_out, prefix
from tests.drivers.dns.bind import bind
from tests.drivers.dns.name_server import REVERSE, REVERSE6, SECRET, SMALL, NameServer
from tests.drivers.process import free_port

DNS = Rfc2136(Egress(["127.0.0.0/8"]))


@pytest.fixture(scope="module")
def ns1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with bind(tmp_path_factory.mktemp("bind")) as served:
        yield served


@dataclass(frozen=True)
class Desk:
    """An order with addresses, and a worker that tells the name server when a test says so."""

    database: Database
    vault: Vault
    names: Names
    ns1: NameServer
    order: UUID
    prefixes: dict[str, UUID]

    async def name(self, address: str, hostname: str, holder: UUID | None = None) -> None:
        async with self.database.transaction() as tx:
            await name_address(tx, address, hostname, holder=holder, actor=None, actor_label="test")

    async def known(self, address: str) -> NameView | None:
        async with self.database.snapshot() as tx:
            found = {str(one.address): one for one in (await list_names(tx)).items}
        return found.get(address)

    def has(self, address: str) -> list[str]:
        return self.ns1.has(ip_address(address).reverse_pointer, "PTR")

    async def connect(self, port: int) -> None:
        """Let the connection lead to that port, whether or not it is there already."""
        typed = {
            "host": "127.0.0.1", "port": str(port), "key_name": "slipway", "secret": SECRET,
            "zones": f"{REVERSE}\n{SMALL}\n{REVERSE6}",
        }  # fmt: skip
        by = {"actor": None, "actor_label": "test"}
        async with self.database.transaction() as tx:
            row = await tx.fetchrow("SELECT id, updated_at FROM connection")
            if row is None:
                await add_connection(tx, self.vault, name="ns1", kind=Kind.DNS, typed=typed, **by)
            else:
                await change_connection(
                    tx, self.vault, row["id"], typed=typed, seen_at=row["updated_at"], **by
                )


@pytest.fixture
async def desk(database: Database, vault: Vault, redis: Redis, ns1: NameServer) -> Desk:
    order = uuid4()
    async with database.transaction() as tx:
        prefixes = await lay_out(
            tx, prefix("192.0.2.0/27", cooldown_s=600), prefix("2001:db8:7::/48")
        )
        await ask(tx, order, [want for want in WHOLE if want.kind != "vlan"])
        await assign(tx, order)
    desk = Desk(database, vault, Names(database, Live(redis), vault, DNS), ns1, order, prefixes)
    await desk.connect(ns1.port)
    return desk


async def test_a_name_is_pushed_changed_and_removed(desk: Desk) -> None:
    await desk.name("192.0.2.1", " Mail.Example.ORG. ", desk.order)
    await desk.name("2001:db8:7::25", "six.example.org")
    known = await desk.known("192.0.2.1")
    assert known is not None
    assert (known.hostname, known.state) == ("mail.example.org", NameState.pending)
    assert desk.has("192.0.2.1") == []
    assert await desk.names.sweep() == 2
    assert await desk.names.sweep() == 0
    assert desk.has("192.0.2.1") == ["mail.example.org."]
    assert desk.has("2001:db8:7::25") == ["six.example.org."]
    async with desk.database.snapshot() as tx:
        mine = await names_of(tx, desk.order)
        assert await count_names(tx) == {"pending": 0, "pushed": 2, "failed": 0}
    assert [(str(one.address), one.state) for one in mine] == [
        ("192.0.2.1", NameState.pushed),
        ("2001:db8:7::25", NameState.pushed),
    ]
    await desk.name("192.0.2.1", "other.example.org", desk.order)
    await desk.names.sweep()
    assert desk.has("192.0.2.1") == ["other.example.org."]
    for address in ("192.0.2.1", "2001:db8:7::25"):
        await desk.name(address, "")
    await desk.names.sweep()
    assert desk.has("192.0.2.1") == desk.has("2001:db8:7::25") == []
    assert await desk.known("192.0.2.1") is None


async def test_a_worker_hears_of_a_new_name_at_once(desk: Desk, redis: Redis) -> None:
    live = Live(redis)
    desk.database.after_commit = live.publish
    await live.start()
    working = asyncio.create_task(Names(desk.database, live, desk.vault, DNS).run())
    try:
        async with live.listen("names") as told:
            await asyncio.sleep(0)  # its first look finds nothing
            await desk.name("192.0.2.1", "quick.example.org")
            while desk.has("192.0.2.1") == []:
                assert await told.wait(5)
    finally:
        working.cancel()
        await live.stop()
    await desk.name("192.0.2.1", "")
    await desk.names.sweep()


async def test_no_address_is_free_while_the_server_names_who_had_it(
    desk: Desk, clock: SetClock
) -> None:
    """The name server is away from the release until long after the cool-down."""
    await desk.name("192.0.2.2", "was.example.org")
    await desk.names.sweep()
    await desk.connect(free_port())
    async with desk.database.transaction() as tx:
        await release(tx, desk.order)
    for _ in range(TOLD_AFTER + 2):
        clock.advance(minutes=16)
        await desk.names.sweep()
        async with desk.database.transaction() as tx:
            await expire(tx)
    known = await desk.known("192.0.2.2")
    assert known is not None
    assert (known.hostname, known.state) == (None, NameState.failed)
    assert "ns1" in known.error
    async with desk.database.snapshot() as tx:
        left = await tx.fetch("SELECT position FROM address_claim WHERE state = 'quarantined'")
        told = await tx.fetch("SELECT payload FROM outbox WHERE topic = 'admin.notice'")
    assert [row["position"] for row in left] == [2]
    assert len(told) == 1
    assert "192.0.2.2" in told[0]["payload"]
    assert desk.has("192.0.2.2") == ["was.example.org."]
    await desk.connect(desk.ns1.port)
    clock.advance(minutes=16)
    await desk.names.sweep()
    assert desk.has("192.0.2.2") == []
    async with desk.database.transaction() as tx:
        assert await expire(tx) == 1


async def test_a_zone_of_less_than_a_24_has_its_names_where_it_says(desk: Desk) -> None:
    """RFC 2317: asked for the usual name, the server leads to the one in the small zone."""
    async with desk.database.transaction() as tx:
        await lay_out(tx, prefix("192.0.2.64/26", purpose="small"))
        await tx.execute(
            "UPDATE prefix SET reverse_zone = $1 WHERE network = '192.0.2.64/26'", SMALL
        )
        order = uuid4()
        await ask(
            tx,
            order,
            [ip4(purpose="small")],
        )
        await assign(tx, order)
    await desk.name("192.0.2.65", "small.example.org", order)
    await desk.names.sweep()
    assert desk.ns1.has(f"65.{SMALL}", "PTR") == ["small.example.org."]
    assert desk.has("192.0.2.65") == [f"65.{SMALL}."]
    await desk.name("192.0.2.65", "")
    await desk.names.sweep()
    assert desk.ns1.has(f"65.{SMALL}", "PTR") == []


async def test_a_prefix_that_goes_to_another_zone_takes_its_names_along(
    desk: Desk, clock: SetClock
) -> None:
    await desk.name("192.0.2.1", "moves.example.org")
    await desk.names.sweep()
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE prefix SET reverse_zone = $1 WHERE family(network) = 4", SMALL)
    clock.advance(days=1)
    await desk.names.sweep()
    assert desk.has("192.0.2.1") == []
    assert desk.ns1.has(f"1.{SMALL}", "PTR") == ["moves.example.org."]
    await desk.name("192.0.2.1", "")
    await desk.names.sweep()


async def test_what_others_change_on_the_server_is_put_right_within_a_day(
    desk: Desk, clock: SetClock
) -> None:
    await desk.name("192.0.2.3", "ours.example.org")
    await desk.names.sweep()
    theirs = record_set("192.0.2.3", RecordType.PTR, ["theirs.example.org"], 60)
    await DNS.replace(desk.ns1.server(), theirs)
    clock.advance(hours=23)
    assert await desk.names.sweep() == 0
    clock.advance(hours=1)
    await desk.names.sweep()
    assert desk.has("192.0.2.3") == ["ours.example.org."]
    await desk.name("192.0.2.3", "")
    await desk.names.sweep()


async def test_a_worker_that_dies_is_followed_by_another(desk: Desk, clock: SetClock) -> None:
    """Killed before and after the server was told; and overtaken by a change meanwhile."""
    await desk.name("192.0.2.1", "first.example.org")
    async with desk.database.transaction() as tx:
        [due] = await take_due(tx, 10)
        assert await intend(tx, due)
    await desk.name("192.0.2.1", "second.example.org")
    assert await desk.names.sweep() == 0  # one at a time deals with an address
    await DNS.replace(
        desk.ns1.server(), record_set("192.0.2.1", RecordType.PTR, ["first.example.org"], 3600)
    )
    clock.advance(seconds=61)
    await desk.names.sweep()
    assert desk.has("192.0.2.1") == ["second.example.org."]
    async with desk.database.transaction() as tx:
        assert not await intend(tx, due)
    await desk.name("192.0.2.1", "")
    await desk.names.sweep()
    assert desk.has("192.0.2.1") == []


async def test_without_a_server_for_the_zone_it_says_what_to_set_up(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        await tx.execute("DELETE FROM connection")
    await desk.name("192.0.2.1", "lost.example.org")
    await desk.names.sweep()
    known = await desk.known("192.0.2.1")
    assert known is not None
    assert known.state is NameState.failed
    assert known.error == f"No connection of kind DNS has the zone {REVERSE}; add one."
    # Nothing is there of ours, so that its removal needs no server.
    await desk.name("192.0.2.1", "")
    await desk.names.sweep()
    assert await desk.known("192.0.2.1") is None


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("mail", "Enter the whole name, for example mail.example.org."),
        ("mail_1.example.org", "not “_”"),
        ("mail server.example.org", "not a space"),
        ("-mail.example.org", "must not begin or end with a hyphen"),
        ("mail..example.org", "no two dots"),
        ("192.0.2.7", "cannot be a number"),
        ("7.2.0.192.in-addr.arpa", "not the name of its record"),
        ("bücher.example.org", "not “ü”"),
        (f"{'a' * 64}.example.org", "63"),
    ],
    ids=["single", "underscore", "space", "hyphen", "dots", "address", "arpa", "umlaut", "long"],
)
def test_what_is_no_host_name(text: str, says: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_hostname(text)
    assert says in refused.value.fields["hostname"]


async def test_only_what_an_order_has_can_be_named(desk: Desk) -> None:
    for address, holder in (
        ("192.0.2.1", uuid4()),  # another's
        ("192.0.2.20", None),  # nobody's
        ("192.0.2.0", None),  # the network's
        ("198.51.100.1", None),  # not ours
        ("2001:db8:7:1::1", desk.order),  # beside its /64
        ("mail", None),
    ):
        with pytest.raises(Invalid) as refused:
            await desk.name(address, "mail.example.org", holder)
        assert list(refused.value.fields) == ["address"]
    with pytest.raises(Invalid) as refused:
        await desk.name("192.0.2.20", "mail", None)
    assert set(refused.value.fields) == {"address", "hostname"}


async def test_a_64_has_room_for_so_many_names(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        for number in range(1, MOST + 2):
            given = tx, f"2001:db8:7::{number:x}", "six.example.org"
            if number <= MOST:
                await name_address(*given, holder=None, actor=None, actor_label="test")
                continue
            with pytest.raises(Invalid, match="remove one"):
                await name_address(*given, holder=None, actor=None, actor_label="test")


async def test_the_audit_names_a_name_of_nobody(desk: Desk) -> None:
    await desk.name("192.0.2.1", "stays.example.org")
    async with desk.database.transaction() as tx:
        await tx.execute("ALTER TABLE address_claim DISABLE TRIGGER names_ended")
        await release(tx, desk.order)
        drifts = (await audit_addresses(tx)).found
        await tx.execute("ALTER TABLE address_claim ENABLE TRIGGER names_ended")
    assert [(one.kind, one.subject) for one in drifts] == [("name_of_nobody", "192.0.2.1")]
