"""Nodes are read from a real Ironic, what differs is shown, and an outage changes nothing."""

from functools import partial

from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.release import release
from app.domain.inventory.states import ServerState
from app.domain.metal.node_rule import NodeDrift
from app.domain.metal.order_remedy import REMEDY, order_deed
from app.domain.metal.remedy import NodeDeed
from app.domain.metal.watch import ALARM
from app.domain.notices.shipped import install_templates
from app.drivers.metal.contract import NodeRef, NodeSeed, Stage
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.power import Power
from app.jobs.node_remedies import run_remedy
from tests.metal.hall import Hall

KEPT = (
    "SELECT to_jsonb(n) FROM cloud_node n UNION ALL SELECT to_jsonb(l) FROM metal_node l "
    "UNION ALL SELECT to_jsonb(s) FROM server s UNION ALL SELECT to_jsonb(v) FROM service v "
    "UNION ALL SELECT to_jsonb(o) FROM client_order o UNION ALL SELECT to_jsonb(r) FROM run r"
)


async def test_every_page_is_read(cloud: Ironic, seed: NodeSeed) -> None:
    """This Ironic gives five nodes to a page, however many it is asked for."""
    made = set()
    for number in range(6):
        seed_of_one = {"name": f"{seed.name}-{number}", "driver": "fake-hardware"}
        made.add((await cloud._api.post("/nodes", seed_of_one))["uuid"])
    assert len((await cloud._api.get("/nodes", limit=str(nodes.PAGE)))["nodes"]) == 5
    assert made <= {one.id for one in await cloud.nodes()}


async def test_drift_and_an_outage(hall: Hall, seed: NodeSeed) -> None:
    desk = hall.desk
    async with desk.database.transaction() as tx:
        await install_templates(tx)
    server, ref = await hall.sold(seed)
    await hall.read()
    seen = await hall.node(ref)
    assert (seen.drift, seen.power, seen.state, seen.server) == (None, Power.ON, "active", server)
    assert seen.service == seen.allocated_to == ref.service, "whose it is, Ironic says too"
    power = "SELECT power FROM server WHERE id = $1"
    assert await desk.value(power, server) == "on"

    await hall.switch(ref, Power.OFF)
    await hall.read(times=1)
    assert (await hall.node(ref)).drift is None, "one reading is no proof"
    await hall.read(times=1)
    assert (await hall.node(ref)).drift is NodeDrift.off
    assert await desk.value(power, server) == "off"

    await hall.lead_to("http://127.0.0.1:1")
    before = await desk.rows(KEPT)
    for _ in range(4):
        await hall.read(times=1)
        desk.clock.advance(seconds=ALARM.total_seconds())
    assert await desk.rows(KEPT) == before, "a silence says nothing of any node"
    one = await hall.look()
    assert (one.silent_since is not None, one.gone, "refused" in one.silence) == (True, 0, True)
    assert (await hall.node(ref)).silent_since == one.silent_since
    await desk.work()
    told = [row["subject"] for row in await desk.rows("SELECT subject FROM mail")]
    assert sum("ironic does not answer" in subject for subject in told) == 1

    await hall.lead_to(hall.url)
    await hall.read(times=1)
    assert (await hall.look()).silent_since is None
    assert (await hall.node(ref)).drift is NodeDrift.off, "it is remembered since when"
    await hall.switch(ref, Power.ON)
    await hall.read(times=1)
    assert (await hall.node(ref)).drift is None
    assert await desk.value(power, server) == "on"


async def comes_to_nothing(hall: Hall, ref: NodeRef) -> None:
    """See that a click is not done late, nor where the books changed meanwhile."""
    desk, about = hall.desk, (await hall.node(ref)).id
    for state, age in (("suspended", 0), ("active", 16)):
        async with desk.database.transaction() as tx:
            await order_deed(tx, about, NodeDeed.start, actor=None, actor_label="test")
        set_state = "UPDATE service SET state = $2 WHERE id = $1"
        async with desk.database.transaction() as tx:
            await tx.execute(set_state, ref.service, state)
        desk.clock.advance(minutes=age)
        relay = desk.relay({REMEDY: partial(run_remedy, desk.database, desk.vault, hall.peers)})
        while await relay.sweep():
            await relay.idle()
        async with desk.database.transaction() as tx:
            await tx.execute(set_state, ref.service, "active")
    assert (await hall.cloud.read(ref.node)).power is Power.OFF
    why = await desk.rows(
        "SELECT reason FROM audit_entry WHERE action = 'nodes.could_not' ORDER BY id"
    )
    assert [row["reason"] for row in why] == [
        "It should be otherwise by now.",
        "It was not done in time. Look at it, then do it again.",
    ]


async def test_it_is_put_right_at_the_cloud(hall: Hall, seed: NodeSeed) -> None:
    """It is switched on, its system is taken off, and it is forgotten: each since somebody says."""
    desk = hall.desk
    server, ref = await hall.sold(seed)
    await hall.switch(ref, Power.OFF)
    await hall.read()
    await comes_to_nothing(hall, ref)
    await hall.put_right(ref, NodeDeed.start)
    assert (await hall.cloud.read(ref.node)).power is Power.ON
    assert (await hall.node(ref)).drift is None
    assert await desk.value("SELECT power FROM server WHERE id = $1", server) == "on"

    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE service SET state = 'terminated' WHERE id = $1", ref.service)
        await release(tx, await tx.fetchval("SELECT holder FROM server WHERE id = $1", server))
    desk.clock.advance(seconds=SETTLES.total_seconds())
    await hall.read()
    seen = await hall.node(ref)
    assert (seen.drift, seen.server_state) == (NodeDrift.occupied, ServerState.cleaning)
    await hall.put_right(ref, NodeDeed.release)
    there = await hall.cloud.read(ref.node)
    assert (there.stage, there.instance) == (Stage.AVAILABLE, "")
    await hall.read()
    assert (await hall.node(ref)).drift is None

    # A cloud that shows nothing at all would be taken for silent.
    spare = {"name": f"{seed.name}-spare", "driver": "fake-hardware"}
    await hall.cloud._api.post("/nodes", spare)
    await hall.cloud._api.delete(f"/nodes/{ref.node}")
    await hall.read()
    gone = await hall.node(ref)
    assert (gone.drift, gone.state) == (NodeDrift.gone, "available")
    await hall.put_right(ref, NodeDeed.forget)
    assert await desk.rows("SELECT FROM metal_node") == []
    said = await desk.rows(
        "SELECT action FROM audit_entry WHERE subject = $1 AND action LIKE 'nodes.%' ORDER BY id",
        server,
    )
    assert [row["action"] for row in said] == [
        "nodes.start", "nodes.could_not", "nodes.start", "nodes.could_not",
        "nodes.start", "nodes.done", "nodes.release", "nodes.done", "nodes.forget",
    ]  # fmt: skip
