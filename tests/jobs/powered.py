"""Servers with BMCs, in use or not, and services that run on them."""

from datetime import timedelta
from uuid import UUID

from app.core.ids import new_id
from app.domain.inventory.find import find_server
from app.domain.inventory.power_rule import SETTLES
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.domain.inventory.views import ServerView
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from tests.drivers.bmc.faulty import PASSWORD, USER
from tests.jobs.desk import Desk
from tests.orders.world import machines

NEXT = timedelta(seconds=40)
"""After which every BMC that answers is due again."""


async def with_bmcs(desk: Desk, states: dict[str, str]) -> dict[str, UUID]:
    """Give a rack of servers BMCs and states; returns each server's id by its BMC's URL."""
    made: dict[str, UUID] = {}
    async with desk.database.transaction() as tx:
        rack = await machines(tx, len(states), rack="b", prefix="198.51.100.0/26")
        rows = await tx.fetch("SELECT id FROM server WHERE rack = $1 ORDER BY u_position", rack)
        for row, (url, state) in zip(rows, states.items(), strict=True):
            seed = BmcSeed(url=url, username="root", password="calvin", system_path="/redfish/v1")
            await register_bmc(tx, desk.vault, row["id"], seed)
            await tx.execute(
                "UPDATE server SET state = $2, holder = $3 WHERE id = $1",
                row["id"],
                state,
                None if state == "available" else new_id(),
            )
            made[url] = row["id"]
    return made


async def with_service(desk: Desk, url: str = "https://one") -> tuple[UUID, UUID]:
    """Deliver a service on the shop's server, long enough ago; returns server and service."""
    order = await desk.order()
    async with desk.database.transaction() as tx:
        server: UUID = await tx.fetchval("SELECT id FROM server WHERE holder = $1", order.id)
        seed = BmcSeed(url=url, username=USER, password=PASSWORD, tls_mode="off")
        await register_bmc(tx, desk.vault, server, seed)
        await tx.execute(
            "UPDATE server SET state = 'active', hold_expires_at = NULL WHERE id = $1", server
        )
        service = await open_service(tx, order.id)
        await deliver_service(tx, service, server=server)
    desk.clock.advance(seconds=SETTLES.total_seconds())
    return server, service


async def look(desk: Desk, server: UUID) -> ServerView:
    async with desk.database.snapshot() as tx:
        return await find_server(tx, server)
