"""Nodes are read from a real Ironic, what differs is shown, and an outage changes nothing."""

from collections.abc import AsyncIterator

import pytest
from redis.asyncio import Redis

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.metal.node_rule import Drift
from app.domain.metal.watch import ALARM
from app.domain.notices.shipped import install_templates
from app.drivers.metal.contract import MetalPeer, NodeSeed
from app.drivers.metal.ironic import nodes
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.peers import open_peers
from app.drivers.power import Power
from tests.metal.conftest import LOOPBACK
from tests.metal.hall import Hall, open_hall

KEPT = (
    "SELECT to_jsonb(n) FROM cloud_node n UNION ALL SELECT to_jsonb(l) FROM metal_node l "
    "UNION ALL SELECT to_jsonb(s) FROM server s UNION ALL SELECT to_jsonb(v) FROM service v "
    "UNION ALL SELECT to_jsonb(o) FROM client_order o UNION ALL SELECT to_jsonb(r) FROM run r"
)


@pytest.fixture
async def hall(
    peer: MetalPeer, cloud: Ironic, database: Database, clock: SetClock, vault: Vault, redis: Redis
) -> AsyncIterator[Hall]:
    peers = open_peers(LOOPBACK, clock)
    yield await open_hall(database, clock, vault, Live(redis), peers, cloud, peer.url)
    await peers.close()


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
    assert (await hall.node(ref)).drift is Drift.off
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
    assert (await hall.node(ref)).drift is Drift.off, "it is remembered since when"
    await hall.switch(ref, Power.ON)
    await hall.read(times=1)
    assert (await hall.node(ref)).drift is None
    assert await desk.value(power, server) == "on"
