"""Servers of ours are enrolled, adopted, inspected and taken out again at a real Ironic."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from msgspec.structs import replace

from app.domain.audit.find import trail
from app.domain.inventory.bmc import change_bmc
from app.domain.inventory.discover import accept_difference, compare
from app.domain.inventory.find import find_server
from app.domain.inventory.maintain import begin_maintenance
from app.domain.inventory.seed import BmcSeed
from app.domain.metal.ask import (
    ask_adopt,
    ask_again,
    ask_enrol,
    ask_inspect,
    ask_withdraw,
)
from app.domain.metal.errand import ErrandState, stop
from app.domain.metal.errors import ErrandUnderWay, HasNode, InUse, StillSold
from app.domain.metal.link import node_of
from app.domain.metal.propose import of_nobody, propose
from app.domain.metal.want import Adopt, Enrol, Step
from app.drivers.bmc.contract import BmcAddress
from app.drivers.metal.contract import MetalPeer, NodeRef, NodeSeed, Stage
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.power import Power
from app.drivers.tls import TrustCa
from app.suites.hypervisor import through
from tests.drivers.bmc.test_emulator import emulator
from tests.inventory.hall import an_order
from tests.metal.errands import CLOUD, STAFF, Hand, a_server

__all__ = ["emulator"]  # a fixture


async def enrol(hand: Hand, server: UUID, **facts: Any) -> UUID:
    name = await hand.value("SELECT name FROM server WHERE id = $1", server)
    want = Enrol(**{"name": name, "driver": "fake-hardware", **facts})
    async with hand.database.transaction() as tx:
        return await ask_enrol(tx, server, CLOUD, want, **STAFF)


async def withdraw(hand: Hand, server: UUID) -> UUID:
    async with hand.database.transaction() as tx:
        return await ask_withdraw(tx, server, **STAFF)


async def adopt(hand: Hand, server: UUID, node: str, **facts: Any) -> UUID:
    want = Adopt(node=node, **facts)
    async with hand.database.transaction() as tx:
        return await ask_adopt(tx, server, CLOUD, want, **STAFF)


async def test_from_the_rack_into_stock_and_out_again(hand: Hand, cloud: Ironic) -> None:
    seed = a_server()
    server = (await hand.furnish(seed))[seed.name]
    errand = await enrol(hand, server, stock=True)
    with pytest.raises(ErrandUnderWay):
        await enrol(hand, server)
    done = await hand.through(errand)
    assert (done.state, done.error) == (ErrandState.done, "")
    assert [one.step for one in done.done] == [Step.known, Step.inspected, Step.offered]
    node = await cloud.find(macs=(seed.mac,))
    assert node is not None
    assert (node.name, node.stage, node.mark) == (seed.name, Stage.AVAILABLE, str(server))
    async with hand.database.snapshot() as tx:
        linked = await node_of(tx, server)
        view = await find_server(tx, server)
    assert linked is not None
    assert (linked.connection, linked.node) == (CLOUD, node.id)
    assert (view.state, done.says) == ("available", "It is in stock.")

    for again in (enrol, withdraw):
        with pytest.raises(InUse, match="Begin its maintenance"):
            await again(hand, server)
    async with hand.database.transaction() as tx:
        await begin_maintenance(tx, server, reason="it is sold", **STAFF)
    assert (await hand.through(await withdraw(hand, server))).state is ErrandState.done
    assert await cloud.find(name=seed.name, macs=(seed.mac,)) is None
    async with hand.database.snapshot() as tx:
        assert await node_of(tx, server) is None
        trail_of = [line.action for line in await trail(tx, [server])]
    assert {"metal.enrol", "metal.withdraw", "inventory.accept"} <= {*trail_of}


async def test_what_was_stopped_half_way_goes_on_or_is_undone(hand: Hand, cloud: Ironic) -> None:
    seed = a_server()
    server = (await hand.furnish(seed))[seed.name]
    for way in ("goes on", "is undone"):
        errand = await enrol(hand, server, inspect=False, offer=False)
        await hand.part()
        made = await cloud.find(name=seed.name)
        assert made is not None, "the cloud knows it"
        async with hand.database.transaction() as tx:
            assert await node_of(tx, server) is None, "and we do not know yet that it does"
            await stop(tx, errand, **STAFF)
        await hand.part()
        assert (await hand.view(errand)).state is ErrandState.stopped
        if way == "goes on":
            async with hand.database.transaction() as tx:
                again = await ask_again(tx, errand, **STAFF)
            assert (await hand.through(again)).state is ErrandState.done
            found = await cloud.find(name=seed.name)
            assert found is not None
            assert (found.id, found.stage) == (made.id, Stage.MANAGEABLE)
        assert (await hand.through(await withdraw(hand, server))).state is ErrandState.done
        assert await cloud.find(name=seed.name, macs=(seed.mac,)) is None


async def test_a_wrong_password_is_told_in_the_clouds_words_and_put_right(
    hand: Hand, emulator: BmcAddress, tmp_path: Path
) -> None:
    """By Redfish: the cloud asks the BMC itself, with the password that we keep sealed."""
    assert isinstance(emulator.tls, TrustCa)
    (tmp_path / "ca.pem").write_text(emulator.tls.pem)
    bmc = BmcSeed(
        url=emulator.url,
        username=emulator.username,
        password="not-the-password",
        system_path=emulator.system_path or "",
    )
    seed = a_server(mac="52:54:00:aa:00:01", bmc=bmc)
    server = (await hand.furnish(seed))[seed.name]
    ca = str(tmp_path / "ca.pem")
    errand = await enrol(hand, server, driver="", ca=ca, inspect=False, offer=False)
    failed = await hand.through(errand)
    assert failed.state is ErrandState.failed
    assert "Incorrect username or password" in failed.error
    assert "not-the-password" not in failed.error
    async with hand.database.transaction() as tx:
        right = replace(bmc, password=emulator.password.reveal())
        await change_bmc(tx, hand.vault, server, right, **STAFF)
        again = await ask_again(tx, failed.id, **STAFF)
    done = await hand.through(again)
    assert (done.state, done.error) == (ErrandState.done, "")
    assert await hand.value("SELECT state FROM metal_node") == "manageable"


async def test_a_name_or_a_card_that_the_cloud_has_already(hand: Hand, cloud: Ironic) -> None:
    seed = a_server()
    server = (await hand.furnish(seed))[seed.name]
    number = uuid4().hex
    theirs = NodeSeed(
        name=f"node-{number[:8]}", macs=(f"52:54:01:{number[:2]}:{number[2:4]}:00",),
        driver="fake-hardware",
    )  # fmt: skip
    node = await through(lambda memo: cloud.enrol(theirs, memo))
    failed = await hand.through(await enrol(hand, server, name=theirs.name))
    assert failed.state is ErrandState.failed
    assert f"is called {theirs.name}" in failed.error
    await cloud._api.post("/ports", {"node_uuid": node.id, "address": seed.mac})
    failed = await hand.through(await enrol(hand, server))
    assert f"{theirs.name}: it has a card of this server" in failed.error

    async with hand.database.snapshot() as tx:
        nodes = await of_nobody(tx, CLOUD, await cloud.nodes())
        strays = await propose(tx, nodes, await cloud.cards(), {})
    (mine,) = [one for one in strays if one.node.id == node.id]
    assert mine.proposal is not None
    assert (mine.proposal.server.id, mine.proposal.by) == (server, "card")
    done = await hand.through(await adopt(hand, server, node.id, how="offer", inspect=True))
    assert (done.state, done.error) == (ErrandState.done, "")
    found = await cloud.read(node.id)
    assert (found.stage, found.mark) == (Stage.AVAILABLE, str(server))
    with pytest.raises(HasNode):
        await adopt(hand, server, str(uuid4()))
    assert (await hand.through(await withdraw(hand, server))).state is ErrandState.done
    found = await cloud.read(node.id)
    assert (found.stage, found.mark) == (Stage.AVAILABLE, ""), "it was not made by us: it stays"


async def test_what_runs_is_taken_over_as_it_is(hand: Hand, cloud: Ironic) -> None:
    """A server that was sold before it came to the cloud: its service has the node from then on."""
    seed = a_server(in_stock=True)
    server = (await hand.furnish(seed))[seed.name]
    node = await through(
        lambda memo: cloud.enrol(
            NodeSeed(name=seed.name, macs=(seed.mac,), driver="fake-hardware"), memo
        )
    )
    with pytest.raises(StillSold):
        await adopt(hand, server, node.id, how="running")
    async with hand.database.transaction() as tx:
        order = await an_order(tx)
        await tx.execute(
            "UPDATE server SET state = 'active', holder = $2 WHERE id = $1", server, order
        )
        service = await tx.fetchval('SELECT id FROM service WHERE "order" = $1', order)
    done = await hand.through(await adopt(hand, server, node.id, how="running"))
    assert (done.state, done.error) == (ErrandState.done, "")
    found = await cloud.read(node.id)
    assert found.stage is Stage.ACTIVE
    ref = NodeRef(node.id, service)
    switched = await through(lambda memo: cloud.power(ref, Power.OFF, memo))
    assert switched.power is Power.OFF, "flows of the service may do with it what they do"
    with pytest.raises(InUse, match="An order has it"):
        await enrol(hand, server)
    assert await through(lambda memo: cloud.release(ref, memo)) is None


async def test_a_cloud_that_is_down_is_waited_for(hand: Hand, peer: MetalPeer) -> None:
    seed = a_server()
    server = (await hand.furnish(seed))[seed.name]
    await hand.connect(peer, name="away", url="http://127.0.0.1:1")
    want = Enrol(name=seed.name, driver="fake-hardware")
    async with hand.database.transaction() as tx:
        errand = await ask_enrol(tx, server, "away", want, **STAFF)
    await hand.part()
    waits = await hand.view(errand)
    assert (waits.state, waits.error) == (ErrandState.working, "Connection refused")
    hand.clock.advance(hours=13)
    late = await hand.through(errand)
    assert late.state is ErrandState.failed
    assert late.error == "It was not done in time. Connection refused"


async def test_an_inspection_is_compared_and_accepted(hand: Hand, cloud: Ironic) -> None:
    seed = a_server()
    server = (await hand.furnish(seed))[seed.name]
    await hand.through(await enrol(hand, server, inspect=False, offer=False))
    async with hand.database.snapshot() as tx:
        linked = await node_of(tx, server)
    assert linked is not None
    await cloud._api.patch(f"/nodes/{linked.node}", {"/properties/memory_mb": 131072})
    async with hand.database.transaction() as tx:
        errand = await ask_inspect(tx, server, **STAFF)
    assert (await hand.through(errand)).state is ErrandState.done
    async with hand.database.transaction() as tx:
        seen = await compare(tx, server)
        assert seen is not None
        facts = {one.fact: (one.written, one.found) for one in seen.differences}
        assert facts == {"ram_gb": ("64", "128")}
        await accept_difference(tx, server, "ram_gb", **STAFF)
        assert (await find_server(tx, server)).ram_gb == 128
        line, *_ = await trail(tx, [server])
    assert line.reason == f"As {CLOUD} found."
    # Somebody else has the node deployed: it is left alone.
    await through(partial(cloud.adopt, linked.node, None))
    async with hand.database.transaction() as tx:
        errand = await ask_inspect(tx, server, **STAFF)
    refused = await hand.through(errand)
    assert (refused.state, "it is active" in refused.error) == (ErrandState.failed, True)
