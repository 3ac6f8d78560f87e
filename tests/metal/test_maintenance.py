"""Maintenance at a real Ironic: shown with its reason, and ended by a click or by Ironic."""

from pathlib import Path

from app.domain.audit.find import trail
from app.domain.inventory.power_rule import SETTLES
from app.domain.metal.find import node_of_server
from app.domain.metal.node_rule import NodeDrift
from app.domain.metal.order_remedy import order_deed
from app.domain.metal.remedy import NodeDeed, deeds_for
from app.drivers.metal.ironic.adapter import Ironic
from tests.metal.aside import in_quarantine, read, recheck, said, standing, until, write
from tests.metal.errands import STAFF, Hand

FAN, DISK = "a fan is changed", "a disk is changed"


async def test_a_fault_that_ironic_ends_itself_is_no_drift_any_more(
    hand: Hand, cloud: Ironic, ironic_folder: Path
) -> None:
    """Its power cannot be read, and then can; Ironic looks at that by itself."""
    server, node = await in_quarantine(hand, cloud)
    # While it is being switched, Ironic does not look.
    write(
        ironic_folder,
        node,
        "maintenance = 1, fault = 'power failure', maintenance_reason = 'max retries exceeded', "
        "target_power_state = 'power off'",
    )
    hand.clock.advance(seconds=SETTLES.total_seconds())
    seen = await read(hand, cloud, server)
    assert (seen.drift, seen.fault) == (NodeDrift.maintenance, "power failure")
    assert seen.maintenance_reason == "max retries exceeded"
    await recheck(hand, minutes=15)
    assert await standing(hand, server) == ("quarantined", True, 1)
    write(ironic_folder, node, "target_power_state = NULL")
    await until(cloud, node, lambda there: not there.in_maintenance)
    seen = await read(hand, cloud, server)
    assert (seen.drift, seen.fault, seen.in_maintenance) == (None, "", False)
    await recheck(hand, minutes=30)
    assert await standing(hand, server) == ("cleaning", True, 2)


async def test_maintenance_is_ended_by_a_click_and_for_the_reason_that_was_shown(
    hand: Hand, cloud: Ironic
) -> None:
    server, node = await in_quarantine(hand, cloud)
    path = f"/nodes/{node}/maintenance"
    await cloud._api.put(path, {"reason": FAN})
    hand.clock.advance(seconds=SETTLES.total_seconds())
    seen = await read(hand, cloud, server)
    assert (seen.drift, seen.maintenance_reason, seen.fault) == (NodeDrift.maintenance, FAN, "")
    assert NodeDeed.end_maintenance in deeds_for(seen)
    for reason in (DISK, FAN):
        await cloud._api.put(path, {"reason": reason})
        async with hand.database.transaction() as tx:
            await order_deed(tx, seen.id, NodeDeed.end_maintenance, **STAFF)
        await hand.part()
        assert (await cloud.read(node)).in_maintenance is (reason == DISK)
    refused = {*await said(hand, server, "nodes.could_not")}
    assert refused == {f"It is in maintenance for another reason by now: {DISK}"}
    async with hand.database.snapshot() as tx:
        left = await node_of_server(tx, server)
        first = next(
            one for one in await trail(tx, [server]) if one.action == "nodes.end_maintenance"
        )
    assert left is not None
    assert (left.drift, left.in_maintenance, deeds_for(left)) == (None, False, ())
    assert first.before["maintenance"] == FAN
