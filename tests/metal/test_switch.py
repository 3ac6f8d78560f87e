"""A client switches a server that only a cloud has: a real Ironic does it."""

import asyncio
from typing import Any

import pytest

from app.domain.inventory.power_rule import SETTLES
from app.domain.machines.errand import Deed
from app.domain.machines.order_power import NotNow, Switching
from app.domain.metal.switch import SWITCH, order_switch
from app.domain.services.switch import own_switching, switch_service
from app.drivers.bmc.contract import BmcFleet
from app.drivers.metal.contract import NodeRef, NodeSeed
from app.drivers.power import Power
from app.jobs.switch_servers import ServerSwitches
from tests.metal.hall import ROUNDS, Hall


async def click(hall: Hall, ref: NodeRef, deed: Deed) -> None:
    account = await hall.desk.value("SELECT account FROM service WHERE id = $1", ref.service)
    async with hall.desk.database.transaction() as tx:
        await switch_service(
            tx, ref.service, deed, account=account, actor=account, actor_label="its client"
        )


async def switching(hall: Hall, ref: NodeRef) -> Switching:
    async with hall.desk.database.snapshot() as tx:
        return await own_switching(tx, ref.service)


async def do(hall: Hall) -> None:
    """Do what was ordered, until nothing of it is left."""
    desk, fleet = hall.desk, _no_bmcs()
    relay = desk.relay(
        {SWITCH: ServerSwitches(desk.database, desk.vault, fleet, hall.peers).consume}
    )
    for _ in range(ROUNDS):
        while await relay.sweep():
            await relay.idle()
        due = await desk.value(
            "SELECT min(due_at) FROM outbox WHERE topic = $1 AND done_at IS NULL", SWITCH
        )
        if due is None:
            return
        desk.clock.advance(seconds=max((due - desk.clock.now()).total_seconds(), 0))
        await asyncio.sleep(0.05)  # Ironic's clock is its own
    raise AssertionError("it never ends")


def _no_bmcs() -> BmcFleet:
    fleet: Any = None
    return fleet


async def test_its_cloud_switches_it(hall: Hall, seed: NodeSeed) -> None:
    server, ref = await hall.sold(seed)
    await hall.read()
    for deed, there in (
        (Deed.stop, Power.OFF),
        (Deed.start, Power.ON),
        (Deed.restart, Power.ON),
        (Deed.reset, Power.ON),
    ):
        await click(hall, ref, deed)
        assert (await switching(hall, ref)).doing is deed
        with pytest.raises(NotNow):
            await click(hall, ref, deed)
        await do(hall)
        assert (await hall.cloud.read(ref.node)).power is there, deed
        found = await switching(hall, ref)
        assert (found.can_switch, found.doing, found.done) == (True, None, deed)
        hall.desk.clock.advance(seconds=SETTLES.total_seconds())
        await hall.read()
        assert (await hall.node(ref)).drift is None, "what is off by a click is meant to be"
    said = [
        row["action"]
        for row in await hall.desk.rows(
            "SELECT action FROM audit_entry WHERE subject = $1 AND action LIKE 'servers.%' "
            "ORDER BY id",
            server,
        )
    ]
    assert said.count("servers.done") == 4
    assert len(said) == 8


async def test_what_no_service_has_is_its_clouds_to_switch(hall: Hall, seed: NodeSeed) -> None:
    server, _ = await hall.sold(seed)
    async with hall.desk.database.transaction() as tx:
        await tx.execute(
            "UPDATE server SET state = 'maintenance', holder = NULL WHERE id = $1", server
        )
    with pytest.raises(NotNow, match="no service has it"):
        async with hall.desk.database.transaction() as tx:
            await order_switch(tx, server, Deed.start, actor=None, actor_label="test")


async def test_a_cloud_that_is_away_is_waited_for_and_then_told(hall: Hall, seed: NodeSeed) -> None:
    _, ref = await hall.sold(seed)
    await hall.lead_to("http://127.0.0.1:1")
    await click(hall, ref, Deed.stop)
    await do(hall)
    found = await switching(hall, ref)
    assert (found.doing, found.failed) == (None, Deed.stop)
    assert "refused" in found.failed_why
    assert (await hall.cloud.read(ref.node)).power is Power.ON
