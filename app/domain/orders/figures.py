"""Figures of the business as it runs: how fast, how far behind, how much is owed."""

from datetime import datetime, timedelta

import msgspec

from app.core.database import Tx
from app.domain.orders.states import IN_FLIGHT

WEEK = timedelta(days=7)
RECENT = 40
"""Deliveries in the course of the latest."""


class DeliveryTime(msgspec.Struct, frozen=True, kw_only=True):
    """Time from the payment to the delivery, over `count` orders; None without any."""

    count: int
    p50: timedelta | None
    p99: timedelta | None


class Deliveries(msgspec.Struct, frozen=True, kw_only=True):
    """How the deliveries went. `recent_s` are the latest ones, the oldest of them first."""

    today: DeliveryTime
    week: DeliveryTime
    recent_s: tuple[float, ...]


class Owed(msgspec.Struct, frozen=True, kw_only=True):
    """Open invoices of one currency."""

    currency: str
    count: int
    due_minor: int
    overdue: int


class Backlog(msgspec.Struct, frozen=True, kw_only=True):
    """What is under way: orders that are paid and not delivered, and the outbox.

    `oldest_at` is when the oldest row of the outbox that is due was written.
    """

    in_flight: int
    awaiting_payment: int
    outbox: int
    oldest_at: datetime | None


async def deliveries(tx: Tx) -> Deliveries:
    """Return the delivery times of today (UTC) and of the last 7 days.

    Two statements over the week's deliveries. Measured from the invoice being paid in full,
    so it holds everything: the queue, the hardware, the mail.
    """
    today = tx.now().replace(hour=0, minute=0, second=0, microsecond=0)
    row = await tx.fetchrow(
        "SELECT count(*) AS week, count(*) FILTER (WHERE delivered_at >= $1) AS today, "
        "percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY delivered_at - paid_at) "
        "AS of_week, "
        "percentile_disc(ARRAY[0.5, 0.99]) WITHIN GROUP (ORDER BY delivered_at - paid_at) "
        "FILTER (WHERE delivered_at >= $1) AS of_today "
        "FROM client_order WHERE delivered_at >= $2 AND paid_at IS NOT NULL",
        today,
        tx.now() - WEEK,
    )
    recent = await tx.fetch(
        "SELECT delivered_at - paid_at AS took FROM client_order WHERE delivered_at >= $1 "
        "AND paid_at IS NOT NULL ORDER BY delivered_at DESC LIMIT $2",
        tx.now() - WEEK,
        RECENT,
    )
    return Deliveries(
        today=_time(row["today"], row["of_today"]) if row else _time(0, None),
        week=_time(row["week"], row["of_week"]) if row else _time(0, None),
        recent_s=tuple(one["took"].total_seconds() for one in reversed(recent)),
    )


async def owed(tx: Tx) -> tuple[Owed, ...]:
    """Return what clients owe by currency, the largest count first; one statement."""
    rows = await tx.fetch(
        "SELECT currency, count(*), sum(total_minor - paid_minor)::bigint AS due_minor, "
        "count(*) FILTER (WHERE due_at < $1) AS overdue FROM invoice WHERE state = 'open' "
        "GROUP BY currency ORDER BY count(*) DESC, currency",
        tx.now(),
    )
    return tuple(Owed(**dict(row)) for row in rows)


async def backlog(tx: Tx) -> Backlog:
    """Return how much is under way; one statement, by indexes."""
    row = await tx.fetchrow(
        "SELECT (SELECT count(*) FROM client_order WHERE state = ANY($1)) AS in_flight, "
        "(SELECT count(*) FROM client_order WHERE state = 'awaiting_payment') "
        "AS awaiting_payment, o.outbox, o.oldest_at FROM (SELECT count(*) AS outbox, "
        "min(created_at) FILTER (WHERE due_at <= $2 OR attempts > 0) AS oldest_at FROM outbox "
        "WHERE done_at IS NULL) o",
        list(IN_FLIGHT),
        tx.now(),
    )
    return msgspec.convert(dict(row or {}), Backlog)


def _time(count: int, percentiles: list[timedelta | None] | None) -> DeliveryTime:
    p50, p99 = percentiles or (None, None)
    return DeliveryTime(count=count, p50=p50, p99=p99)
