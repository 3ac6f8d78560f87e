"""Servers that are nodes of a real Ironic, and a worker that reads it when a test says so."""

import asyncio
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from msgspec.structs import replace

from app.core.clock import SetClock
from app.core.database import Database
from app.core.live import Live
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.inventory.confirm import activate
from app.domain.inventory.power_rule import SETTLES
from app.domain.metal.find import list_clouds, list_nodes
from app.domain.metal.link import link_node
from app.domain.metal.order_remedy import REMEDY, order_deed
from app.domain.metal.remedy import NodeDeed
from app.domain.metal.views import CloudView, NodeRow
from app.domain.metal.watch import PERIOD
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.metal.contract import NodeRef, NodeSeed
from app.drivers.metal.ironic.adapter import Ironic
from app.drivers.peers import Peers
from app.drivers.power import Power
from app.jobs.node_remedies import run_remedy
from app.jobs.watch_nodes import NodeWatch
from app.settings import Settings
from app.suites.hypervisor import through
from tests.jobs.desk import SETTINGS, Desk
from tests.machines.world import pay
from tests.metal.ironic import PASSWORD, USER
from tests.metal.test_ironic import a_want
from tests.orders.world import a_client, a_shop, an_order

NAME = "ironic"
ROUNDS = 400


@dataclass
class Hall:
    """One cloud and what reads it."""

    desk: Desk
    peers: Peers
    cloud: Ironic
    url: str

    async def read(self, *, times: int = 2) -> None:
        """Read the cloud, each time when the next reading is due."""
        desk = self.desk
        watch = NodeWatch(desk.database, desk.live, desk.vault, self.peers)
        for _ in range(times):
            desk.clock.advance(seconds=PERIOD.total_seconds())
            await watch.sweep()
            await watch.idle()

    async def put_right(self, ref: NodeRef, deed: NodeDeed) -> None:
        """Have a person ask for it, and a worker do it until nothing of it is left."""
        desk, about = self.desk, (await self.node(ref)).id
        async with desk.database.transaction() as tx:
            await order_deed(tx, about, deed, actor=None, actor_label="test", reason="test")
        remedy = partial(run_remedy, desk.database, desk.vault, self.peers)
        relay = desk.relay({REMEDY: remedy})
        for _ in range(ROUNDS):
            while await relay.sweep():
                await relay.idle()
            due = await desk.value(
                "SELECT min(due_at) FROM outbox WHERE topic = $1 AND done_at IS NULL", REMEDY
            )
            if due is None:
                return
            desk.clock.advance(seconds=max((due - desk.clock.now()).total_seconds(), 0))
            await asyncio.sleep(0.05)  # Ironic's clock is its own
        raise AssertionError("it never ends")

    async def lead_to(self, url: str) -> None:
        """Have the connection lead elsewhere."""
        self.desk.clock.advance(seconds=1)
        async with self.desk.database.transaction() as tx:
            await tx.execute(
                "UPDATE connection SET facts = facts || jsonb_build_object('base_url', $1::text), "
                "updated_at = $2 WHERE name = $3",
                url,
                tx.now(),
                NAME,
            )

    async def node(self, ref: NodeRef) -> NodeRow:
        async with self.desk.database.snapshot() as tx:
            (one,) = (await list_nodes(tx, search=ref.node)).items
        return one

    async def look(self) -> CloudView:
        async with self.desk.database.snapshot() as tx:
            (one,) = await list_clouds(tx)
        return one

    async def switch(self, ref: NodeRef, wanted: Power) -> None:
        """Switch it behind our back."""
        await through(lambda memo: self.cloud.power(ref, wanted, memo))

    async def sold(self, seed: NodeSeed) -> tuple[UUID, NodeRef]:
        """Deliver a server that is installed at the cloud; return it and its node.

        So much time has passed since that it is judged.
        """
        desk = self.desk
        await through(lambda memo: self.cloud.enrol(seed, memo))
        node = await through(lambda memo: self.cloud.offer(seed.name, memo))
        async with desk.database.transaction() as tx:
            order = await an_order(tx, await a_client(tx), hostname="web1.example.org")
            await pay(tx, order)
            service = await open_service(tx, order.id)
            await mark_provisioning(tx, order.id)
            await activate(tx, order.id)
            server: UUID = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order.id)
            await deliver_service(tx, service, server=server)
            await link_node(tx, server, NAME, node.id)
        ref = NodeRef(node.id, service)
        await through(lambda memo: self.cloud.deploy(replace(a_want(node.id), ref=ref), memo))
        await self.switch(ref, Power.ON)
        desk.clock.advance(seconds=SETTLES.total_seconds())
        return server, ref


async def open_hall(
    database: Database, clock: SetClock, vault: Vault, live: Live, peers: Peers, cloud: Ironic,
    url: str,
) -> Hall:  # fmt: skip
    """Return it with a shop of two servers, and the cloud as a connection."""
    settings = Settings(_env_file=None, **SETTINGS)
    typed = {
        "provider": "ironic", "auth_type": "http_basic", "base_url": url, "username": USER,
        "secret": PASSWORD, "trust": "system",
    }  # fmt: skip
    async with database.transaction() as tx:
        await a_shop(tx, servers=2)
        await add_connection(
            tx, vault, name=NAME, kind=Kind.METAL, typed=typed, actor=None, actor_label="test"
        )
    return Hall(Desk(database, clock, vault, live, settings), peers, cloud, url)
