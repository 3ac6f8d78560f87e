"""A server that only a cloud has comes back from quarantine by itself, at a real Ironic."""

import asyncio
from contextvars import Context
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from app.core.secrets import Vault, new_key
from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.put_back import ERASE, TO_CLOUD
from app.domain.inventory.quarantine import due_rechecks, quarantine, release_from_quarantine
from app.domain.inventory.release import finish_cleaning
from app.domain.metal.ask import ask_clean
from app.domain.metal.errand import ERRAND, GOOD_FOR, ErrandState, find_errand
from app.domain.metal.errors import ErrandUnderWay
from app.domain.metal.keep import forget_node, put_aside
from app.domain.metal.link import link_node
from app.domain.metal.node_rule import NodeDrift
from app.domain.metal.order_remedy import order_deed
from app.domain.metal.recheck import trouble_of
from app.domain.metal.remedy import NodeDeed
from app.domain.metal.watch import note_reading, note_silence, take_due
from app.drivers.errors import DriverError
from app.drivers.metal.contract import Examined, MetalNode, NodeRef, NodeSeed, Stage
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.power import Power
from app.jobs.metal_clean import AGAIN
from app.suites.hypervisor import through
from tests.locks import until_someone_waits
from tests.metal.aside import cleaned, in_quarantine, read, recheck, said, standing, write
from tests.metal.errands import CLOUD, STAFF, Hand, a_server
from tests.metal.test_errands import enrol, withdraw
from tests.metal.test_ironic import a_want
from tests.metal.test_journey import break_deploys, mend

FAN = "a fan is changed"


async def test_what_works_again_is_cleaned_and_sold(hand: Hand, cloud: Ironic) -> None:
    """Its order's allocation is on it still, from a deployment that failed."""
    server, node = await in_quarantine(hand, cloud)
    async with hand.database.snapshot() as tx:
        service = await tx.fetchval("SELECT id FROM service")
        assert await due_rechecks(tx) == [], "there is no BMC to look at"
    await break_deploys(cloud, node)
    want = replace(a_want(node), ref=NodeRef(node, service))
    with pytest.raises(DriverError, match="deploy failed"):
        await through(lambda memo: cloud.deploy(want, memo))
    await mend(cloud, node)
    await cloud._api.put(f"/nodes/{node}/maintenance", {"reason": FAN})

    assert await recheck(hand) == []
    for minutes, count in ((15, 1), (30, 2)):
        assert await recheck(hand, minutes=minutes) == [server]
        assert await recheck(hand) == []
        assert await standing(hand, server) == ("quarantined", True, count)
    looked = await said(hand, server, "inventory.recheck")
    assert len(looked) == 2
    assert FAN in looked[0]
    assert (await cloud.read(node)).in_maintenance, "it is left as it is"

    await cloud._api.delete(f"/nodes/{node}/maintenance")
    assert await recheck(hand, minutes=60) == [server]
    assert await standing(hand, server) == ("cleaning", True, 3), "not sold yet"
    done = await cleaned(hand, server)
    assert (done.state, done.error, done.says) == (ErrandState.done, "", "It is in stock.")
    there = await cloud.read(node)
    assert (there.stage, there.instance) == (Stage.AVAILABLE, "")
    assert await standing(hand, server) == ("available", False, 3)
    (reason,) = await said(hand, server, "inventory.release_from_quarantine")
    assert reason == f"{CLOUD} finds it well; it had been put aside: it did not answer"
    assert await hand.value("SELECT count(*) FROM metal_errand") == 1
    assert await hand.value("SELECT count(*) FROM outbox WHERE topic = 'server.cleaning'") == 0


@pytest.mark.parametrize("is_told_to", [True, False])
async def test_it_is_not_sold_without_having_been_cleaned(
    hand: Hand, cloud: Ironic, *, is_told_to: bool
) -> None:
    """The cloud offers its node all the time: that alone proves nothing."""
    server, node = await in_quarantine(hand, cloud)
    path = f"/nodes/{node}"
    await cloud._api.patch(path, {"/automated_clean": is_told_to})
    before = (await cloud._api.get(path))["provision_updated_at"]
    assert await recheck(hand, minutes=15) == [server]
    assert (await cleaned(hand, server)).state is ErrandState.done
    if is_told_to:
        assert (await cloud._api.get(path))["provision_updated_at"] > before
        assert await standing(hand, server) == ("available", False, 1)
    else:
        assert await standing(hand, server) == ("cleaning", True, 1), "a person erases it"


async def test_what_is_enrolled_anew_is_not_sold_without_having_been_cleaned(
    hand: Hand, cloud: Ironic
) -> None:
    """The record of which node it is was lost; the cloud offers that all the time."""
    server, node = await in_quarantine(hand, cloud)
    async with hand.database.transaction() as tx:
        await forget_node(tx, server)
        await tx.execute("UPDATE server SET state = 'cleaning' WHERE id = $1", server)
    await cloud.take_on(node, str(server))
    before = (await cloud._api.get(f"/nodes/{node}"))["provision_updated_at"]
    done = await hand.through(await enrol(hand, server, inspect=False, stock=True))
    assert (done.error, done.says) == ("", "It is in stock.")
    assert (await cloud._api.get(f"/nodes/{node}"))["provision_updated_at"] > before
    assert await standing(hand, server) == ("available", False, 0)


async def test_what_fails_to_be_cleaned_is_aside_again_until_a_person_ends_its_maintenance(
    hand: Hand, cloud: Ironic, ironic_folder: Path
) -> None:
    server, node = await in_quarantine(hand, cloud)
    await break_deploys(cloud, node)  # its agent would clean it, too
    assert await recheck(hand, minutes=15) == [server]
    failed = await cleaned(hand, server)
    assert failed.state is ErrandState.failed
    assert "clean failed: " in failed.error
    assert await standing(hand, server) == ("quarantined", True, 1)
    assert "could not clean it: clean failed" in await hand.value(
        "SELECT state_reason FROM server WHERE id = $1", server
    )
    # Where a step of the cleaning failed, Ironic writes this too; here no agent has begun one.
    write(ironic_folder, node, "maintenance = 1, fault = 'clean failure'")
    assert await recheck(hand, minutes=30) == [server]
    (looked,) = await said(hand, server, "inventory.recheck")
    assert looked.startswith("it is in maintenance there (clean failure): ")

    hand.clock.advance(seconds=SETTLES.total_seconds())
    seen = await read(hand, cloud, server)
    assert (seen.drift, seen.fault) == (NodeDrift.maintenance, "clean failure")
    await cloud._api.patch(f"/nodes/{node}", {"/deploy_interface": "fake"})
    async with hand.database.transaction() as tx:
        await order_deed(tx, seen.id, NodeDeed.end_maintenance, **STAFF)
    await hand.part()
    assert not (await cloud.read(node)).in_maintenance
    assert await recheck(hand) == [server], "it is looked at now, and not in an hour"
    assert (await cleaned(hand, server)).state is ErrandState.done
    assert await standing(hand, server) == ("available", False, 3)


async def test_a_cloud_out_of_reach_costs_no_recheck(hand: Hand, cloud: Ironic) -> None:
    server, _ = await in_quarantine(hand, cloud, has_data=False)
    lead_to = (
        "UPDATE connection SET facts = facts || jsonb_build_object('base_url', $1::text), "
        "updated_at = $2"
    )
    url = await hand.value("SELECT facts->>'base_url' FROM connection")
    async with hand.database.transaction() as tx:
        await tx.execute(lead_to, "http://127.0.0.1:1", tx.now())
    for _ in range(12):
        assert await recheck(hand, minutes=15) == [server]
    lost_key = Hand(hand.database, hand.clock, Vault([new_key()]), hand.peers)
    assert await recheck(lost_key, minutes=15) == [server]
    assert await standing(hand, server) == ("quarantined", False, 0)
    assert await said(hand, server, "inventory.recheck") == []
    async with hand.database.transaction() as tx:
        await take_due(tx, 5, silent=False)
        await note_silence(tx, CLOUD, "no answer")
    assert await recheck(hand, minutes=15) == [], "one that is known to be silent is not asked"

    nodes = await cloud.nodes()
    async with hand.database.transaction() as tx:
        await tx.execute(lead_to, url, tx.now())
        await note_reading(tx, CLOUD, nodes, began_at=tx.now())
    assert await recheck(hand) == [server]
    assert await standing(hand, server) == ("cleaning", False, 1)


async def test_who_moved_it_meanwhile_has_it(
    hand: Hand, cloud: Ironic, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person puts it back while the cloud is asked; it fails again, and is another case."""
    server, _ = await in_quarantine(hand, cloud)
    examine = Ironic.examine

    async def meanwhile(self: Ironic, node: str) -> Examined:
        found = await examine(self, node)
        async with hand.database.transaction() as tx:
            await release_from_quarantine(tx, server, **STAFF)
            await quarantine(tx, server, "it smells")
        return found

    monkeypatch.setattr(Ironic, "examine", meanwhile)
    await recheck(hand, minutes=15)
    assert await standing(hand, server) == ("quarantined", True, 0)
    await hand.part()
    assert await hand.value("SELECT count(*) FROM metal_errand") == 0, "it was cleaned by nobody"


async def test_what_a_delivered_service_ran_on_waits_for_a_person(
    hand: Hand, cloud: Ironic
) -> None:
    """Once one has released it, its cloud cleans it; no flow of ours boots it."""
    server, _ = await in_quarantine(hand, cloud, came_from="active")
    assert await recheck(hand, minutes=60 * 24 * 30) == []
    async with hand.database.transaction() as tx:
        await release_from_quarantine(tx, server, **STAFF)
    assert (await cleaned(hand, server)).state is ErrandState.done
    assert await standing(hand, server) == ("available", False, 0)
    assert await hand.value("SELECT count(*) FROM outbox WHERE topic = 'server.cleaning'") == 0


async def test_who_says_that_it_is_clean_meanwhile_has_it_in_stock(
    hand: Hand, cloud: Ironic
) -> None:
    server, _ = await in_quarantine(hand, cloud)
    await recheck(hand, minutes=15)
    for _ in range(2):
        await hand.part()
    async with hand.database.transaction() as tx:
        await finish_cleaning(tx, server, reason="its disks are new", **STAFF)
    ended = await cleaned(hand, server)
    assert (ended.state, ended.error) == (ErrandState.stopped, "")
    assert ended.says == "The server is available, and does not wait to be cleaned any more."
    assert await said(hand, server, "metal.failed") == []
    assert await standing(hand, server) == ("available", False, 1)


async def test_what_is_withdrawn_while_it_waits_to_be_cleaned_is_erased_by_us(
    hand: Hand, cloud: Ironic
) -> None:
    """No try fails meanwhile: staff would be told of that."""
    server, _ = await in_quarantine(hand, cloud)
    withdrawal = await withdraw(hand, server)
    async with hand.database.transaction() as tx:
        await release_from_quarantine(tx, server, **STAFF)
        later = "UPDATE outbox SET due_at = $2 WHERE topic = $1"
        await tx.execute(later, ERRAND, tx.now() + timedelta(seconds=10))
    await hand.part()
    await hand.through(withdrawal)
    hand.clock.advance(seconds=AGAIN.total_seconds())
    await hand.part()
    row = await hand.value("SELECT state || ': ' || state_reason FROM server WHERE id = $1", server)
    assert row == f"cleaning: {ERASE}"
    told = await hand.value("SELECT payload->>'server' FROM outbox WHERE topic = 'server.cleaning'")
    assert told == str(server)
    tries = await hand.value("SELECT count(*) FROM outbox WHERE topic = $1", TO_CLOUD)
    assert tries == 2
    assert await hand.value("SELECT count(*) FROM metal_errand") == 1, "it was asked of no cloud"


async def test_a_cleaning_that_failed_leaves_alone_what_a_person_put_into_stock(
    hand: Hand,
) -> None:
    """The person has the server already, and asks for an errand too: neither waits for ever."""
    (server,) = (await hand.furnish(a_server(bmc=None, in_stock=True))).values()
    async with hand.database.transaction() as tx:
        await link_node(tx, server, CLOUD, "n1")
        await tx.execute("UPDATE server SET state = 'cleaning' WHERE id = $1", server)
        cleaning = await ask_clean(tx, server, **STAFF)
    hand.clock.advance(seconds=GOOD_FOR.total_seconds() + 1)
    async with hand.database.transaction() as tx:
        await tx.execute("SELECT FROM server WHERE id = $1 FOR NO KEY UPDATE", server)
        gives_up = asyncio.create_task(hand.part(), context=Context())
        await until_someone_waits(hand.database)
        with pytest.raises(ErrandUnderWay):
            await ask_clean(tx, server, **STAFF)
        await finish_cleaning(tx, server, reason="its disks are new", **STAFF)
    await gives_up
    assert await standing(hand, server) == ("available", False, 0)
    assert (await hand.view(cleaning)).state is ErrandState.stopped


async def test_only_what_is_still_in_cleaning_is_put_aside(hand: Hand) -> None:
    (server,) = (await hand.furnish(a_server(bmc=None, in_stock=True))).values()
    async with hand.database.transaction() as tx:
        await link_node(tx, server, CLOUD, "n1")
        await tx.execute("UPDATE server SET state = 'cleaning' WHERE id = $1", server)
        errand = await find_errand(tx, await ask_clean(tx, server, **STAFF))

    async def aside() -> None:
        async with hand.database.transaction() as tx:
            await put_aside(tx, errand, "no answer")

    async with hand.database.transaction() as tx:
        await finish_cleaning(tx, server, reason="its disks are new", **STAFF)
        late = asyncio.create_task(aside(), context=Context())
        await until_someone_waits(hand.database)
    await late
    assert await standing(hand, server) == ("available", False, 0)


async def test_a_driver_that_misses_something_says_what(
    cloud: Ironic, seed: NodeSeed, ironic_folder: Path
) -> None:
    await cloud._api.post("/nodes", {"name": seed.name, "driver": "redfish"})
    found = await cloud.examine(seed.name)
    assert {one.partition(":")[0] for one in found.faults} >= {"power", "management"}
    assert "redfish_address" in found.faults[0]
    fake = {"name": f"{seed.name}-b", "driver": "fake-hardware", "deploy_interface": "direct"}
    said_of = await cloud._api.post("/nodes", fake)
    said = await cloud._api.get(f"/nodes/{seed.name}-b/validate")
    assert said["deploy"]["result"] is False
    assert (await cloud.examine(f"{seed.name}-b")).faults == (), "nothing is installed on it: so"
    write(ironic_folder, said_of["uuid"], "provision_state = 'error'")
    assert (await cloud.examine(f"{seed.name}-b")).faults == ("it is error; that is not cleaned",)


NODE = MetalNode(
    id="n1", name="box1", stage=Stage.AVAILABLE, state="available", power=Power.OFF, error="no ramdisk"
)  # fmt: skip


@pytest.mark.parametrize(
    ("node", "words"),
    [
        (NODE, ""),
        (replace(NODE, stage=Stage.FAILED, state="clean failed"), ""),
        (replace(NODE, stage=Stage.MANAGEABLE, state="manageable"), ""),
        (
            replace(NODE, in_maintenance=True),
            "in maintenance there: nobody says why; it said: no r",
        ),
        (replace(NODE, fault="power failure"), "at fault there: power failure"),
        (replace(NODE, power=Power.UNKNOWN), "cannot read its power"),
        (replace(NODE, instance="a1", stage=Stage.ACTIVE), "a1 has it"),
        (replace(NODE, stage=Stage.ACTIVE, state="active"), "it is active, for no service here"),
        (replace(NODE, stage=Stage.WORKING, state="clean wait"), "about it: clean wait"),
    ],
)
def test_what_stands_against_a_node(node: MetalNode, words: str) -> None:
    found = trouble_of(Examined(node=node), is_known=False)
    assert (words in found) if words else found == ""
    left = replace(NODE, instance="a1", stage=Stage.FAILED, state="deploy failed")
    assert trouble_of(Examined(node=left), is_known=True) == ""
    invalid = Examined(node=replace(node, error=""), faults=("power: no address",))
    assert trouble_of(invalid, is_known=True).endswith("power: no address")
