"""Servers of a hall at a real Ironic, and a worker that does its errands as fast as that allows."""

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from app.core.clock import SetClock
from app.core.database import Database
from app.core.outbox import claim_due, mark_done
from app.core.secrets import Vault
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.inventory.seed import ServerSeed
from app.domain.metal.errand import ERRAND, ErrandState, ErrandView, find_errand
from app.drivers.metal.contract import MetalPeer
from app.drivers.peers import Peers
from app.jobs.metal_errands import run_metal_errand
from tests.inventory.hall import furnish
from tests.metal.ironic import PASSWORD, USER

STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}
CLOUD = "fra-ironic"
ROUNDS = 400


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

    async def part(self) -> None:
        """Do what is due of the errands, and let the time pass that is waited for."""
        async with self.database.transaction() as tx:
            due = [one for one in await claim_due(tx) if one.topic == ERRAND]
        for parcel in due:
            for _ in range(2):  # a relay may hand it over twice
                await run_metal_errand(self.database, self.vault, self.peers, parcel)
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
