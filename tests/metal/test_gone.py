"""A server whose node is gone at its cloud: its service ends and it goes off the books."""

from typing import Any
from uuid import UUID

import pytest

from app.core.errors import NotFound
from app.domain.inventory.find import find_server
from app.domain.inventory.maintain import begin_maintenance
from app.domain.inventory.remove import remove_server
from app.domain.inventory.states import ServerState
from app.domain.metal.errand import ErrandState
from app.domain.orders.find import find_order
from app.domain.orders.states import OrderState
from app.domain.services.terminate import terminate_service
from app.drivers.metal.contract import NodeLost, NodeSeed
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.power import Power
from tests.metal.errands import STAFF, Hand, a_server
from tests.metal.hall import Hall
from tests.metal.test_errands import enrol, withdraw
from tests.metal.test_journey import BY, Shop, enrolled, shop
from tests.orders.world import a_client, an_order

__all__ = ["shop"]  # a fixture


async def forget_at_cloud(cloud: Ironic, node: str) -> None:
    """Have somebody delete a node at the cloud, whoever has it."""
    await cloud._api.put(f"/nodes/{node}/maintenance", {"reason": "it was carried away"})
    await cloud._api.delete(f"/nodes/{node}")
    with pytest.raises(NodeLost):
        await cloud.read(node)


async def test_a_machine_that_is_gone_at_its_cloud_is_removed_here(
    hand: Hand, cloud: Ironic
) -> None:
    """ConvoyPanel/panel#26."""
    seed = a_server()
    server = (await hand.furnish(seed))[seed.name]
    await hand.through(await enrol(hand, server, stock=True))
    node = await cloud.find(macs=(seed.mac,))
    assert node is not None
    await forget_at_cloud(cloud, node.id)
    async with hand.database.transaction() as tx:
        await begin_maintenance(tx, server, reason="it was carried away", **STAFF)
    done = await hand.through(await withdraw(hand, server))
    assert (done.state, done.error) == (ErrandState.done, "")
    async with hand.database.transaction() as tx:
        await remove_server(tx, server, reason="it was carried away", **STAFF)
    async with hand.database.snapshot() as tx:
        with pytest.raises(NotFound):
            await find_server(tx, server)
        assert await tx.fetchval("SELECT count(*) FROM metal_node") == 0


async def test_a_service_whose_machine_is_gone_at_its_cloud_ends(shop: Shop, cloud: Ironic) -> None:
    desk, nodes = shop.desk, await enrolled(shop, cloud)
    async with desk.database.transaction() as tx:
        order = await an_order(tx, await a_client(tx), hostname="web1.example.org")
        server: UUID = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order.id)
    await desk.pay(order)
    await shop.go_on()
    async with desk.database.snapshot() as tx:
        assert (await find_order(tx, order.id)).state is OrderState.delivered
    await forget_at_cloud(cloud, nodes[server])
    async with desk.database.transaction() as tx:
        service = await tx.fetchval('SELECT id FROM service WHERE "order" = $1', order.id)
        await terminate_service(tx, service, **BY)
    await shop.go_on()
    rows: list[Any] = await desk.rows("SELECT status FROM run")
    assert {row["status"] for row in rows} == {"succeeded"}
    (row,) = await desk.rows("SELECT state, may_hold_data FROM server WHERE id = $1", server)
    assert tuple(row) == (ServerState.cleaning, True), "nobody knows what is on its disks"
    assert not await desk.rows("SELECT FROM address_claim WHERE holder = $1", order.id)


async def test_a_power_state_change_at_a_cloud_triggers_no_cleaning(
    hall: Hall, seed: NodeSeed
) -> None:
    """baremetal-operator#883."""
    server, ref = await hall.sold(seed)
    await hall.read()
    for power in (Power.OFF, Power.ON):
        await hall.switch(ref, power)
        await hall.read()
        node = await hall.cloud.read(ref.node)
        assert (node.power, node.state) == (power, "active")
    desk = hall.desk
    assert await desk.value("SELECT state FROM server WHERE id = $1", server) == "active"
    assert await desk.rows("SELECT FROM metal_errand") == []
    assert await desk.rows("SELECT FROM outbox WHERE topic LIKE '%clean%'") == []
