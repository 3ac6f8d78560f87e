"""What is due by the clock: arq's cron jobs. Each is safe to run twice and on any worker."""

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import structlog

from app.core.errors import Refusal
from app.domain.accounts.expire import expire_sessions
from app.domain.addresses.expire import expire as expire_claims
from app.domain.billing.reconcile import reconcile
from app.domain.inventory.expire import expire_holds
from app.domain.inventory.find import bmc_of
from app.domain.inventory.power import note_power
from app.domain.orders.expire import expire_order_holds, expire_orders
from app.drivers.errors import DriverError
from app.jobs.context import WorkerContext

log = structlog.get_logger()
POWER_PARALLEL = 16


def context_of(ctx: dict[str, Any]) -> WorkerContext:
    context: WorkerContext = ctx["slipway"]
    return context


async def expire(ctx: dict[str, Any]) -> None:
    """Give back what was held too long, and end what has run out."""
    context = context_of(ctx)
    async with context.database.transaction() as tx:
        await expire_order_holds(tx)
        await expire_holds(tx)
        await expire_claims(tx)
        await expire_sessions(tx)
        await expire_orders(tx, order_ttl=timedelta(days=context.settings.order_days))


async def reconcile_payments(ctx: dict[str, Any]) -> None:
    """Ask the gateways about payments whose webhook did not come."""
    context = context_of(ctx)
    await reconcile(context.database, context.gateways)


async def read_power(ctx: dict[str, Any]) -> None:
    """Read the power state of every server in use, a few BMCs at a time."""
    context = context_of(ctx)
    async with context.database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT s.id FROM server s JOIN bmc b ON b.server = s.id "
            "WHERE s.state IN ('provisioning', 'active') ORDER BY s.id"
        )
    gate = asyncio.Semaphore(POWER_PARALLEL)

    async def read_one(server: UUID) -> None:
        async with gate:
            try:
                async with context.database.snapshot() as tx:
                    address, _ = await bmc_of(tx, context.vault, server)
                power = await context.fleet.bmc(address).power.read()
            except (DriverError, Refusal) as error:
                log.info("power.unread", server=str(server), error=str(error))
                return
            async with context.database.transaction() as tx:
                await note_power(tx, server, power)

    await asyncio.gather(*(read_one(row["id"]) for row in rows))
