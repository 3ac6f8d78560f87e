"""Servers of a hall at a real Ironic, and a worker that does its errands as fast as that allows."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID, uuid4

from app.core.clock import SetClock
from app.core.database import Database
from app.core.outbox import claim_due, mark_done
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.inventory.put_back import TO_CLOUD
from app.domain.inventory.seed import ServerSeed
from app.domain.metal.errand import ERRAND, ErrandState, ErrandView, find_errand
from app.domain.metal.order_remedy import REMEDY
from app.drivers.metal.contract import MetalPeer
from app.drivers.peers import Peers
from app.jobs.metal_clean import begin_cleaning
from app.jobs.metal_errands import run_metal_errand
from app.jobs.node_remedies import run_remedy
from app.jobs.relay_outbox import Consumer
from tests.inventory.hall import furnish, machine
from tests.metal.ironic import PASSWORD, USER

STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}
CLOUD = "fra-ironic"
ROUNDS = 400


def a_server(**facts: object) -> ServerSeed:
    """Return a server out of stock, of a name and a card that no node at Ironic has yet."""
    number = uuid4().hex
    card = f"52:54:00:{number[:2]}:{number[2:4]}:{number[4:6]}"
    return machine(1, **{"name": f"box-{number[:8]}", "mac": card, "in_stock": False, **facts})


@dataclass
class Hand:
    """What staff and workers do between them."""

    database: Database
    clock: SetClock
    vault: Vault
    peers: Peers

    async def furnish(self, *servers: ServerSeed) -> dict[str, UUID]:
        async with self.database.transaction() as tx:
            return await furnish(tx, *servers, vault=self.vault)

    async def connect(self, peer: MetalPeer, *, name: str = CLOUD, url: str = "") -> None:
        typed = {
            "provider": "ironic",
            "auth_type": "http_basic",
            "base_url": url or peer.url,
            "username": USER,
            "secret": PASSWORD,
            "trust": "system",
        }
        async with self.database.transaction() as tx:
            await add_connection(
                tx, self.vault, name=name, kind=Kind.METAL, typed=typed, actor=None,
                actor_label="test",
            )  # fmt: skip

    @property
    def consumers(self) -> Mapping[str, Consumer]:
        reach = (self.database, self.vault, self.peers)
        return {
            ERRAND: partial(run_metal_errand, *reach),
            REMEDY: partial(run_remedy, *reach),
            TO_CLOUD: partial(begin_cleaning, self.database),
        }

    async def part(self) -> None:
        """Do what is due at the cloud, and let the time pass that is waited for."""
        consumers = self.consumers
        async with self.database.transaction() as tx:
            due = [one for one in await claim_due(tx) if one.topic in consumers]
        for parcel in due:
            for _ in range(2):  # a relay may hand it over twice
                await consumers[parcel.topic](parcel)
            async with self.database.transaction() as tx:
                await mark_done(tx, parcel)
        await asyncio.sleep(0.05)  # the peer's own clock
        self.clock.advance(seconds=15)

    async def through(self, errand: UUID) -> ErrandView:
        """Return an errand once it has ended."""
        for _ in range(ROUNDS):
            await self.part()
            view = await self.view(errand)
            if view.state is not ErrandState.working:
                return view
        raise AssertionError(f"never through: {view}")

    async def view(self, errand: UUID) -> ErrandView:
        async with self.database.snapshot() as tx:
            return await find_errand(tx, errand)

    async def value(self, sql: str, *values: Any) -> Any:
        async with self.database.snapshot() as tx:
            return await tx.fetchval(sql, *values)
