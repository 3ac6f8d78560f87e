"""Addresses are looked at before they are handed out; what is in use is set aside."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import msgspec
import pytest

from app.core.database import Database
from app.core.outbox import Parcel
from app.domain.addresses.check import set_aside_of, settle_check, unchecked
from app.domain.addresses.find import addresses_of
from app.domain.catalog.find import find_product
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.drivers.dns.contract import RecordType
from app.drivers.dns.records import record_set
from app.drivers.probe.contract import CannotProbe
from app.flows.bind import bind as bind_flow
from app.flows.document import parse
from app.flows.nodes.allocate_addresses import MOST_CHECKS
from app.flows.publish import publish
from tests.addresses.site import ask, ip4, lay_out, prefix, texts
from tests.drivers.dns.bind import bind
from tests.drivers.dns.name_server import REVERSE, SECRET, NameServer
from tests.jobs.desk import Desk

FLOW = parse(
    msgspec.json.encode(
        {
            "schema": 1,
            "flow": "only-addresses",
            "nodes": {
                "paid": {"type": "trigger.order_paid", "v": 1},
                "addresses": {
                    "type": "action.allocate_addresses",
                    "v": 1,
                    "with": {"datacentre": "fra1", "rack": "r1"},
                },
            },
            "edges": [["paid.out", "addresses.in"]],
        }
    )
)


@pytest.fixture(scope="module")
def ns1(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NameServer]:
    with bind(tmp_path_factory.mktemp("bind")) as served:
        yield served


async def begun(desk: Desk) -> tuple[UUID, UUID]:
    """An order that is paid, of checked prefixes, and its run, which waits for the look."""
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE prefix SET check_first = true")
        category = (await find_product(tx, "ax-32")).category_id
        await publish(tx, FLOW, note="test")
        await bind_flow(tx, category=category, trigger="order.paid", flow=FLOW.flow)
    order = await desk.order(extra_ipv4="2")
    await desk.pay(order)
    await desk.work()
    await desk.drive()
    return order.id, await desk.value("SELECT id FROM run WHERE subject = $1", order.id)


async def ip4_of(desk: Desk, order: UUID) -> list[str]:
    async with desk.database.snapshot() as tx:
        return texts(await addresses_of(tx, order))


async def step_of(desk: Desk, run: UUID) -> tuple[str, Any]:
    [row] = await desk.rows(
        "SELECT status, output FROM step_attempt WHERE run = $1 AND node = 'addresses'", run
    )
    return row["status"], row["output"] and msgspec.json.decode(row["output"])


async def test_what_answers_is_set_aside_and_another_is_taken(desk: Desk) -> None:
    """At every point the step may be entered again, and the look be done again."""
    order, run = await begun(desk)
    first, second, third = await ip4_of(desk, order)
    desk.prober.answers = {second: "02:fe:00:00:00:07 answers to ARP"}
    assert await step_of(desk, run) == ("waiting", None)
    desk.clock.advance(minutes=5)
    await desk.drive()  # woken before anybody looked
    assert await ip4_of(desk, order) == [first, second, third]
    await desk.call("addresses.check", {"order": str(order)})
    assert desk.prober.asked[:3] == [first, second, third]
    assert second not in await ip4_of(desk, order)
    await desk.drive()  # takes another, which is looked at too
    assert (await step_of(desk, run))[0] == "waiting"
    await desk.work()
    await desk.drive()
    status, output = await step_of(desk, run)
    assert status == "succeeded"
    assert output["set_aside"] == [
        {"address": second, "reason": "02:fe:00:00:00:07 answers to ARP"}
    ]
    had = await ip4_of(desk, order)
    assert [output["ipv4"], *output["extra_ipv4"]] == had
    assert len(had) == 3
    assert {first, second, *had} < set(desk.prober.asked)
    [aside] = await desk.rows("SELECT * FROM address_claim WHERE state = 'quarantined'")
    assert (aside["holder"], aside["client"]) == (None, None)
    assert (aside["expires_at"] - desk.clock.now()).total_seconds() >= 3_000
    assert (await desk.mail("staff-notice")).text.count(second) == 2


async def test_what_cannot_be_looked_at_is_not_handed_out(desk: Desk) -> None:
    order, run = await begun(desk)
    desk.prober.refuses = "the worker on w1 may not send ARP or ping"
    for _ in range(2):
        with pytest.raises(CannotProbe):
            await desk.call("addresses.check", {"order": str(order)})
        desk.clock.advance(minutes=6)
        await desk.drive()
    assert (await step_of(desk, run))[0] == "waiting"
    told = await desk.rows("SELECT payload FROM outbox WHERE key LIKE '%cannot-check%'")
    assert len(told) == 1
    assert "the worker on w1 may not send" in told[0]["payload"]
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE prefix SET check_first = false")
    desk.clock.advance(minutes=6)
    await desk.drive()
    assert (await step_of(desk, run))[0] == "succeeded"


async def test_a_router_that_answers_for_all_does_not_empty_the_prefix(desk: Desk) -> None:
    order, run = await begun(desk)
    for _ in range(MOST_CHECKS + 1):
        desk.prober.answers = dict.fromkeys(await ip4_of(desk, order), "it answers to ping")
        await desk.call("addresses.check", {"order": str(order)}, times=1)
        await desk.drive()
    [row] = await desk.rows(
        "SELECT status, error FROM step_attempt WHERE run = $1 AND node = 'addresses'", run
    )
    assert row["status"] == "failed"
    assert "does a router answer for all of 192.0.2.0/26" in row["error"]


async def test_an_old_name_sets_an_address_aside(desk: Desk, ns1: NameServer) -> None:
    order, _ = await begun(desk)
    first = (await ip4_of(desk, order))[0]
    old = record_set(first, RecordType.PTR, ["old.example.org"], 60)
    await desk.dns.create(ns1.server(), old)
    async with desk.database.transaction() as tx:
        await add_connection(
            tx, desk.vault, name="ns1", kind=Kind.DNS, actor=None, actor_label="test",
            typed={
                "host": "127.0.0.1", "port": str(ns1.port), "key_name": "slipway",
                "secret": SECRET, "zones": REVERSE,
            },
        )  # fmt: skip
    await desk.call("addresses.check", {"order": str(order)})
    assert first not in await ip4_of(desk, order)
    [aside] = await desk.rows("SELECT reason FROM address_claim WHERE state = 'quarantined'")
    assert aside["reason"] == "the name server still calls it old.example.org"


async def test_a_block_with_an_address_in_use_is_given_back_whole(database: Database) -> None:
    order = uuid4()
    block = (ip4(), ip4("ip4:block", prefix_length=30))
    async with database.transaction() as tx:
        await lay_out(tx, prefix("10.0.0.0/27", check_first=True))
        claimed = await ask(tx, order, block)
        looked_at = await unchecked(tx, order)
        assert [str(one.address) for one in looked_at] == texts(claimed)
        assert len(looked_at) == 5
        third = looked_at[3]
        for _ in range(2):
            await settle_check(tx, order, looked_at, {third.claim: "it answers to ping"})
        assert await unchecked(tx, order) == ()
        kept = texts(await addresses_of(tx, order))
        assert kept == texts(claimed)[:1]
        again = texts(await ask(tx, order, block))
        assert len(again) == 5
        assert str(third.address) not in again
        assert [one.address for one in await set_aside_of(tx, [third.claim])] == [
            str(third.address)
        ]


async def test_nothing_is_asked_where_nothing_is_held(desk: Desk) -> None:
    order = uuid4()
    for _ in range(2):
        await desk.consumers["addresses.check"](
            Parcel(1, "addresses.check", "x", {"order": str(order)}, 1)
        )
    assert desk.prober.asked == []
