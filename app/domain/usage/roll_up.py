"""Close billing months that are over, and drop what is older than it is kept for."""

from datetime import timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.usage.months import Month, months_between
from app.domain.usage.percentile import percentile
from app.domain.usage.samples import Slot, unpack

FINE_KEPT = timedelta(days=70)
"""How long means of five minutes are kept: more than two months, so that one is closed by then."""
HOURS_KEPT = timedelta(days=400)
LATE = timedelta(hours=2)
"""How long after its end samples of a month may still come."""
MONTHS_AT_ONCE = 200
BITS = 8


async def close_months(tx: Tx) -> int:
    """Write down the billing months that are over, about 200 at once; returns how many.

    A month that is closed stays as it is. Idempotent.
    """
    rows = await tx.fetch(
        "WITH due AS (SELECT s.id, s.activated_at, coalesce((SELECT max(ended_at) "
        "FROM usage_month WHERE service = s.id), s.activated_at) AS closed_at FROM service s "
        "WHERE s.activated_at IS NOT NULL) "
        "SELECT d.id, d.activated_at, min(h.at) AS first, max(h.at) AS last FROM due d "
        "JOIN usage_hour h ON h.service = d.id AND h.slots IS NOT NULL "
        "AND h.at + interval '1 hour' > d.closed_at "
        "WHERE d.closed_at + interval '1 month' <= $1 GROUP BY d.id, d.activated_at, d.closed_at "
        "ORDER BY d.id",
        tx.now() - LATE,
    )
    closed = 0
    for row in rows:
        if closed >= MONTHS_AT_ONCE:
            break
        last = row["last"] + timedelta(hours=1)
        for month in months_between(row["activated_at"], row["first"], last):
            if month.ended_at <= tx.now() - LATE:
                closed += await _close(tx, row["id"], month)
    return closed


async def _close(tx: Tx, service: UUID, month: Month) -> int:
    slots = await slots_between(tx, service, month)
    found = bandwidth_of(slots)
    tag = await tx.execute(
        "INSERT INTO usage_month (service, number, began_at, ended_at, seconds, net_in_bytes, "
        "net_out_bytes, p95_in_bits_s, p95_out_bits_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9) "
        "ON CONFLICT DO NOTHING",
        service,
        month.number,
        month.began_at,
        month.ended_at,
        *found,
    )
    return int(tag != "INSERT 0 0")


async def slots_between(tx: Tx, service: UUID, month: Month) -> list[Slot]:
    """Return the measured five-minute means of a billing month; one statement, 744 rows at most."""
    rows = await tx.fetch(
        "SELECT at, slots FROM usage_hour WHERE service = $1 AND slots IS NOT NULL "
        "AND at > $2::timestamptz - $4::interval AND at < $3 ORDER BY at",
        service,
        month.began_at,
        month.ended_at,
        timedelta(hours=1),
    )
    found = []
    for row in rows:
        for number, slot in enumerate(unpack(row["slots"])):
            at = row["at"] + timedelta(minutes=5 * number)
            if slot.seconds and month.began_at <= at < month.ended_at:
                found.append(slot)
    return found


def bandwidth_of(slots: list[Slot]) -> tuple[int, int, int, int, int]:
    """Return measured seconds, bytes in and out, and the 95th percentiles in bit/s. Pure."""
    return (
        sum(slot.seconds for slot in slots),
        round(sum(slot.net_in * slot.seconds for slot in slots)),
        round(sum(slot.net_out * slot.seconds for slot in slots)),
        round((percentile(slot.net_in for slot in slots) or 0.0) * BITS),
        round((percentile(slot.net_out for slot in slots) or 0.0) * BITS),
    )


async def drop_old(tx: Tx) -> None:
    """Drop five-minute means and hours that are older than they are kept for. Days stay.

    Means of a month that is not closed yet stay, however old. What has ended is watched no more.
    """
    await tx.execute(
        "UPDATE usage_hour h SET slots = NULL FROM service s WHERE s.id = h.service "
        "AND h.slots IS NOT NULL AND h.at < $1 AND (s.activated_at IS NULL "
        "OR h.at + interval '1 hour' <= coalesce((SELECT max(ended_at) FROM usage_month u "
        "WHERE u.service = s.id), s.activated_at))",
        tx.now() - FINE_KEPT,
    )
    await tx.execute("DELETE FROM usage_hour WHERE at < $1", tx.now() - HOURS_KEPT)
    await tx.execute(
        "DELETE FROM usage_watch u USING service s WHERE s.id = u.service "
        "AND s.state = 'terminated' AND u.due_at < $1",
        tx.now() - timedelta(days=1),
    )
