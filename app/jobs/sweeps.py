"""What is due by the clock: arq's cron jobs. Each is safe to run twice and on any worker."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Any

import structlog

from app.core.database import Database, Tx
from app.core.outbox import forget_done
from app.domain.accounts.expire import expire_sessions
from app.domain.addresses.audit import audit_when_due
from app.domain.addresses.expire import expire as expire_claims
from app.domain.addresses.keep import end_reservations
from app.domain.billing.reconcile import reconcile
from app.domain.catalog.stock import note_stock
from app.domain.devices.ask import ask_due
from app.domain.inventory.expire import expire_holds
from app.domain.inventory.maintain import end_due_maintenance
from app.domain.machines.console import forget_tickets
from app.domain.machines.watch import forget_removed
from app.domain.metal.watch import forget_removed as forget_removed_clouds
from app.domain.orders.expire import expire_order_holds, expire_orders
from app.domain.usage.roll_up import close_months, drop_old
from app.flows.orphans import report_orphans
from app.flows.signals import forget_signals
from app.flows.triggers.hook import forget_deliveries
from app.jobs.context import WorkerContext

log = structlog.get_logger()


def context_of(ctx: dict[str, Any]) -> WorkerContext:
    context: WorkerContext = ctx["slipway"]
    return context


async def expire(ctx: dict[str, Any]) -> None:
    """Give back what was held too long, and end what has run out.

    Each in a transaction of its own: one that fails keeps no other back.
    """
    context = context_of(ctx)
    order_ttl = timedelta(days=context.settings.order_days)
    await _each(
        context.database,
        expire_order_holds,
        expire_holds,
        end_due_maintenance,
        expire_claims,
        end_reservations,
        expire_sessions,
        partial(expire_orders, order_ttl=order_ttl),
    )


async def forget(ctx: dict[str, Any]) -> None:
    """Delete what was passed on long ago, so that the tables stay small."""
    database = context_of(ctx).database
    await _each(database, forget_done, forget_signals, forget_deliveries)
    await _each(database, forget_removed, forget_removed_clouds, forget_tickets)


async def roll_up_usage(ctx: dict[str, Any]) -> None:
    """Close the billing months that are over, then drop samples that are old enough."""
    await _each(context_of(ctx).database, close_months, drop_old)


async def look_at_devices(ctx: dict[str, Any]) -> None:
    """Have the switches read that were not for a while."""
    await _each(context_of(ctx).database, ask_due)


async def _each(database: Database, *verbs: Callable[[Tx], Awaitable[object]]) -> None:
    failed = []
    for verb in verbs:
        try:
            async with database.transaction() as tx:
                await verb(tx)
        except Exception as error:
            log.exception("sweep.failed")
            failed.append(error)
    if failed:
        raise ExceptionGroup("some of the sweep failed", failed)


async def report_left_behind(ctx: dict[str, Any]) -> None:
    """Tell the staff what ended runs left behind, of each thing once."""
    await _each(context_of(ctx).database, report_orphans)


async def audit_claims(ctx: dict[str, Any]) -> None:
    """Compare the address space with orders and services; the result is kept, one a tick."""
    async with context_of(ctx).database.transaction() as tx:
        audit = await audit_when_due(tx)
    if audit is not None and audit.found:
        log.warning("addresses.drift", drifts=len(audit.found), first=audit.found[0].says)


async def note_stocks(ctx: dict[str, Any]) -> None:
    """Write today's stock of each product down, for the plots of its course."""
    await _each(context_of(ctx).database, note_stock)


async def reconcile_payments(ctx: dict[str, Any]) -> None:
    """Ask the gateways about payments whose webhook did not come."""
    context = context_of(ctx)
    await reconcile(context.database, context.gateways)
