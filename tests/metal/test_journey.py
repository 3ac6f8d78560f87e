"""A server at a real Ironic: from the paid order to the delivered mail, its life, and its end.

The operator binds `dedicated-ironic`, and nothing else.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace
from redis.asyncio import Redis

from app.adapters import make_tools
from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.catalog.find import find_product
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.inventory.states import ServerState
from app.domain.notices.shipped import install_templates
from app.domain.orders.find import find_order
from app.domain.orders.states import OrderState
from app.domain.services.ask import (
    PATIENCE,
    AlreadyAtWork,
    ask_reinstall,
    ask_rescue,
    ask_unrescue,
)
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.drivers.metal.contract import MetalPeer, NodeSeed, Stage
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.peers import open_peers
from app.drivers.power import Power
from app.flows import answering
from app.flows.document import Document
from app.flows.gallery import find_template
from app.flows.interpreter import Interpreter
from app.flows.publish import publish
from app.flows.runner import Runner
from app.flows.serve import serve
from app.flows.steer import cancel_run
from app.settings import Settings
from app.suites.hypervisor import through
from tests.jobs.desk import SETTINGS, Desk
from tests.metal.conftest import LOOPBACK
from tests.metal.ironic import PASSWORD, USER
from tests.orders.world import a_client, a_shop, an_order

BY: dict[str, Any] = {"actor": None, "actor_label": "test", "reason": "test"}
ROUNDS = 300
DEAD = "http://127.0.0.1:1"


class Shop:
    """A provider whose servers are at Ironic; time passes as fast as Ironic allows."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.peers = open_peers(LOOPBACK, desk.clock)

    async def go_on(self, until: Callable[[], Awaitable[bool]] | None = None) -> None:
        """Do all that is due, and let the time pass that is waited for, until nothing is left."""
        desk = self.desk
        for _ in range(ROUNDS):
            if until is not None and await until():
                return
            await desk.work()
            tools = make_tools(desk.settings, desk.vault, desk.fleet, self.peers)
            interpreter = Interpreter(desk.database, tools)
            runner = Runner(desk.database, desk.live, interpreter, lease_s=15.0)
            try:
                while await runner.sweep():
                    await runner.idle()
            finally:
                await interpreter.close()
            await desk.work()
            wake_at = await desk.value(
                "SELECT min(wake_at) FROM run WHERE finished_at IS NULL AND wake_at IS NOT NULL"
            )
            if wake_at is None:
                return
            desk.clock.advance(seconds=max((wake_at - desk.clock.now()).total_seconds(), 0.5))
        left = await desk.rows("SELECT node, state, memo FROM token")
        raise AssertionError(f"after {ROUNDS} rounds there is left: {list(map(tuple, left))}")


@pytest.fixture
async def shop(
    peer: MetalPeer,
    database: Database,
    clock: SetClock,
    vault: Vault,
    redis: Redis,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Shop]:
    async def banner(*_: Any, **__: Any) -> str:
        return "SSH-2.0-OpenSSH"

    monkeypatch.setattr(answering, "ssh_banner", banner)
    settings = Settings(_env_file=None, **SETTINGS)
    async with database.transaction() as tx:
        await a_shop(tx, servers=2)
        await install_templates(tx)
        await add_connection(
            tx,
            vault,
            name="ironic",
            kind=Kind.METAL,
            typed={
                "provider": "ironic",
                "auth_type": "http_basic",
                "base_url": peer.url,
                "username": USER,
                "secret": PASSWORD,
                "trust": "system",
            },
            actor=None,
            actor_label="test",
        )
        category = (await find_product(tx, "ax-32")).category_id
        await publish(tx, with_image(find_template("dedicated-ironic")), note="test")
        await serve(tx, category=category, trigger="order.paid", flow="dedicated-ironic")
    shop = Shop(Desk(database, clock, vault, Live(redis), settings))
    yield shop
    await shop.peers.close()


def with_image(document: Document) -> Document:
    """Return the flow as an operator has filled it in: with an image that is near."""
    install = document.nodes["install"]
    near = {"debian-12": {"url": f"{DEAD}/debian-12.qcow2", "checksum": "a" * 64}}
    filled_in = replace(install, params={**install.params, "images": near})
    return replace(document, nodes={**document.nodes, "install": filled_in})


async def enrolled(shop: Shop, cloud: Ironic) -> dict[UUID, str]:
    """Have Ironic know every server, and return its node by server."""
    found = {}
    for row in await shop.desk.rows("SELECT id, name, mac FROM server ORDER BY name"):
        name = f"{row['name']}-{row['id'].hex[-6:]}"
        seed = NodeSeed(name=name, macs=(row["mac"],), driver="fake-hardware")
        await through(lambda memo, seed=seed: cloud.enrol(seed, memo))
        node = await through(lambda memo, name=name: cloud.offer(name, memo))
        found[row["id"]] = node.id
    return found


async def break_deploys(cloud: Ironic, node: str) -> None:
    """Have Ironic fail at whatever it is to install on the node: its agent cannot be had."""
    agent = {"deploy_kernel": f"{DEAD}/kernel", "deploy_ramdisk": f"{DEAD}/ramdisk"}
    broken = {"/deploy_interface": "direct", "/driver_info": agent}
    await cloud._api.patch(f"/nodes/{node}", broken)


async def mend(cloud: Ironic, node: str) -> None:
    await cloud._api.put(f"/nodes/{node}/maintenance", {"reason": "its driver is changed"})
    await cloud._api.patch(f"/nodes/{node}", {"/deploy_interface": "fake"})
    await cloud._api.delete(f"/nodes/{node}/maintenance")


async def test_it_is_sold_suspended_reinstalled_and_ended(shop: Shop, cloud: Ironic) -> None:
    """At one of its servers deploys fail: it is let go of and put aside, the other one is taken."""
    desk, nodes = shop.desk, await enrolled(shop, cloud)
    async with desk.database.transaction() as tx:
        account = await a_client(tx)
        order = await an_order(tx, account, hostname="web1.example.org")
        first = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order.id)
    assert first in nodes
    await break_deploys(cloud, nodes[first])
    # Its agent would clean it, too.
    await cloud._api.patch(f"/nodes/{nodes[first]}", {"/automated_clean": False})
    await desk.pay(order)
    await shop.go_on()
    async with desk.database.snapshot() as tx:
        delivered = await find_order(tx, order.id)
    assert (delivered.state, delivered.state_reason) == (OrderState.delivered, "")
    assert delivered.server_id is not None
    assert delivered.server_id != first
    aside = await desk.rows("SELECT state, state_reason FROM server WHERE id = $1", first)
    assert aside[0]["state"] == ServerState.quarantined
    assert "deploy failed" in aside[0]["state_reason"]
    left = await cloud.read(nodes[first])
    assert (left.stage, left.instance) == (Stage.AVAILABLE, ""), "nothing is left behind there"
    assert await desk.value("SELECT may_hold_data FROM server WHERE id = $1", first)
    mail = await desk.mail("service-delivered")
    assert "ssh root@192.0.2." in mail.text
    node = nodes[delivered.server_id]
    assert (await cloud.read(node)).stage is Stage.ACTIVE
    info = (await cloud._api.get(f"/nodes/{node}"))["instance_info"]
    assert info["image_source"] == f"{DEAD}/debian-12.qcow2"
    service = delivered.service_id
    assert service is not None
    before = info["slipway"]["attempt"]

    async with desk.database.transaction() as tx:
        await suspend_service(tx, service, **BY)
    await shop.go_on()
    assert (await cloud.read(node)).power is Power.OFF
    assert await desk.value("SELECT power FROM server WHERE holder = $1", order.id) == "off"
    async with desk.database.transaction() as tx:
        await unsuspend_service(tx, service, **BY)
    await shop.go_on()
    assert (await cloud.read(node)).power is Power.ON

    async with desk.database.transaction() as tx:
        await ask_rescue(tx, service, **BY)
    await desk.work()
    desk.clock.advance(seconds=2 * PATIENCE.total_seconds())
    async with desk.database.transaction() as tx:
        with pytest.raises(AlreadyAtWork):  # however long the cloud takes
            await ask_reinstall(tx, service, os="", **BY)
    await shop.go_on()
    assert (await cloud.read(node)).stage is Stage.RESCUED
    assert await desk.value("SELECT rescue_since FROM service WHERE id = $1", service)
    async with desk.database.transaction() as tx:
        await ask_unrescue(tx, service, **BY)
    await shop.go_on()
    assert (await cloud.read(node)).stage is Stage.ACTIVE

    async with desk.database.transaction() as tx:
        await ask_rescue(tx, service, **BY)
    await shop.go_on()
    async with desk.database.transaction() as tx:
        await ask_reinstall(tx, service, os="debian-12", **BY)
    await shop.go_on()
    info = (await cloud._api.get(f"/nodes/{node}"))["instance_info"]
    assert info["slipway"]["attempt"] != before
    assert info["image_source"].endswith("debian-12-generic-amd64.qcow2")
    assert (await cloud.read(node)).stage is Stage.ACTIVE
    (row,) = await desk.rows("SELECT rescue_since, asked_at, os_code FROM service")
    assert tuple(row) == (None, None, "debian-12"), "the rescue ended with it"

    async with desk.database.transaction() as tx:
        await terminate_service(tx, service, **BY)
    await shop.go_on()
    ended = await cloud.read(node)
    assert (ended.stage, ended.instance) == (Stage.AVAILABLE, "")
    (server,) = await desk.rows("SELECT * FROM server WHERE id = $1", delivered.server_id)
    assert (server["state"], server["may_hold_data"]) == (ServerState.available, False)
    claims = await desk.rows("SELECT state FROM address_claim WHERE holder = $1", order.id)
    assert {row["state"] for row in claims} <= {"cooling"}
    statuses = await desk.rows("SELECT status FROM run")
    assert {row["status"] for row in statuses} == {"succeeded"}


async def test_an_order_that_is_cancelled_meanwhile_leaves_nothing_behind(
    shop: Shop, cloud: Ironic
) -> None:
    desk, nodes = shop.desk, await enrolled(shop, cloud)
    async with desk.database.transaction() as tx:
        order = await an_order(tx, await a_client(tx), hostname="web1.example.org")
        server = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order.id)
    await break_deploys(cloud, nodes[server])

    async def has_failed() -> bool:
        return (await cloud.read(nodes[server])).stage is Stage.FAILED

    await desk.pay(order)
    await shop.go_on(has_failed)
    assert await desk.value("SELECT may_hold_data FROM server WHERE id = $1", server)
    await mend(cloud, nodes[server])
    async with desk.database.transaction() as tx:
        await cancel_run(tx, await tx.fetchval("SELECT id FROM run"))
    await shop.go_on()
    left = await cloud.read(nodes[server])
    assert (left.stage, left.instance) == (Stage.AVAILABLE, "")
    (row,) = await desk.rows(
        "SELECT state, holder, may_hold_data FROM server WHERE id = $1", server
    )
    assert tuple(row) == (ServerState.available, None, False)
    claims = await desk.rows("SELECT state FROM address_claim WHERE holder = $1", order.id)
    assert {row["state"] for row in claims} <= {"cooling"}
    assert await desk.value("SELECT status FROM run") == "cancelled"
    assert not await desk.rows("SELECT FROM run_resource WHERE state = 'taken'")


async def test_a_node_that_is_not_cleaned_is_not_sold_again(shop: Shop, cloud: Ironic) -> None:
    desk, nodes = shop.desk, await enrolled(shop, cloud)
    async with desk.database.transaction() as tx:
        order = await an_order(tx, await a_client(tx), hostname="web1.example.org")
        server = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order.id)
    await desk.pay(order)
    await shop.go_on()
    await cloud._api.patch(f"/nodes/{nodes[server]}", {"/automated_clean": False})
    async with desk.database.transaction() as tx:
        service = await tx.fetchval('SELECT id FROM service WHERE "order" = $1', order.id)
        await terminate_service(tx, service, **BY)
    await shop.go_on()
    assert (await cloud.read(nodes[server])).stage is Stage.AVAILABLE
    (row,) = await desk.rows("SELECT state, may_hold_data FROM server WHERE id = $1", server)
    assert tuple(row) == (ServerState.cleaning, True)
    assert not await desk.rows("SELECT FROM outbox WHERE topic = 'server.cleaning'"), (
        "its cloud has the machine: nobody else boots it to erase it"
    )
