"""Names that a name server is to be told: who tells it, and what became of it.

One process at a time deals with an address, under a lease. Where a record of ours may be is
written down before it is made, so that none is ever left behind.
"""

from datetime import datetime, timedelta
from ipaddress import IPv4Address, IPv6Address
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx, storable
from app.core.outbox import emit
from app.domain.addresses.names import NameState
from app.ipam.reverse import reverse_name, usual_zone

LEASE = timedelta(seconds=60)
LOOK_AGAIN = timedelta(days=1)
FIRST_DELAY = timedelta(seconds=5)
LONGEST_DELAY = timedelta(minutes=15)
TOLD_AFTER = 4
"""The attempt, about half a minute after the first, that staff are told of when it fails."""


class DueName(msgspec.Struct, frozen=True, kw_only=True):
    """A name that a server is to be told; without a `hostname`, what it has is to go."""

    address: IPv4Address | IPv6Address
    claim: int
    """Whose name it is: a later owner's is another."""
    leased_until: datetime
    """Tells this lease from others: of one address, no two end at the same moment."""
    hostname: str | None
    seq: int
    attempts: int
    name: str
    """Where the PTR record is to be."""
    zone: str
    """The zone that it would lie in by its prefix, for who has to set one up."""
    pushed_as: str
    """Where there may be one of ours; "" for nowhere."""
    order: UUID | None


_DUE = """
WITH due AS MATERIALIZED (
    SELECT address FROM reverse_name WHERE due_at <= $1
    AND (leased_until IS NULL OR leased_until <= $1) ORDER BY due_at, address LIMIT $3
    FOR UPDATE SKIP LOCKED)
UPDATE reverse_name n SET leased_until = $2, attempts = attempts + 1
FROM due, address_claim c, prefix p
WHERE n.address = due.address AND c.id = n.claim AND p.id = c.scope
RETURNING n.address, n.claim, n.leased_until, n.hostname, n.seq, n.attempts, n.pushed_as,
    c.holder AS "order", p.network, p.reverse_zone
"""


_SAME = "address = $1 AND claim = $2 AND seq = $3"
"""The name as it was when it was leased: of that owner, and not changed since."""


async def take_due(tx: Tx, limit: int) -> tuple[DueName, ...]:
    """Lease up to `limit` names that are due, the longest due first; one statement."""
    rows = await tx.fetch(_DUE, tx.now(), tx.now() + LEASE, limit)
    return tuple(map(_due, rows))


def _due(row: asyncpg.Record) -> DueName:
    facts = dict(row)
    address, network, own_zone = row["address"], facts.pop("network"), facts.pop("reverse_zone")
    return DueName(
        **facts,
        name=reverse_name(address, network, own_zone),
        zone=own_zone or usual_zone(address, network),
    )


async def intend(tx: Tx, due: DueName) -> bool:
    """Note that a record of ours may be at `due.name` from now on.

    False when the name was changed meanwhile: then it must not be told any more.
    """
    noted = await tx.fetchval(
        f"UPDATE reverse_name SET pushed_as = $4 WHERE {_SAME} RETURNING seq",
        due.address,
        due.claim,
        due.seq,
        due.name,
    )
    if noted is None:
        await _give_back(tx, due)
    return noted is not None


async def note_pushed(tx: Tx, due: DueName) -> None:
    """Note that the server says what it is to say; what is gone there is gone here too."""
    if due.hostname is None:
        await tx.execute(f"DELETE FROM reverse_name WHERE {_SAME}", due.address, due.claim, due.seq)
    else:
        await _note(tx, due, NameState.pushed, due_at=tx.now() + LOOK_AGAIN)
    await _give_back(tx, due)


async def note_failed(tx: Tx, due: DueName, reason: str) -> None:
    """Note why the server could not be told; it is tried again, later each time."""
    delay = min(FIRST_DELAY * 2 ** min(due.attempts - 1, 20), LONGEST_DELAY)
    await _note(tx, due, NameState.failed, due_at=tx.now() + delay, error=reason)
    await _give_back(tx, due)
    if due.attempts == TOLD_AFTER:
        await emit(
            tx,
            "admin.notice",
            f"admin.notice:reverse-dns:{due.zone}:{tx.now():%Y-%m-%d}",
            {
                "kind": "reverse_dns.fails",
                "subject": due.zone,
                "title": f"Reverse DNS of {due.zone} cannot be changed",
                "text": f"{due.address}: {reason}. It is tried again by itself, at least every "
                "15 minutes. An address that is given back is not handed out until its old "
                "name is gone.",
                "path": "/admin/reverse-dns?view=failed",
            },
        )


async def _note(
    tx: Tx, due: DueName, state: NameState, *, due_at: datetime, error: str = ""
) -> None:
    await tx.execute(
        "UPDATE reverse_name SET state = $4, due_at = $5, error = $6, "
        f"attempts = CASE WHEN $4 = 'pushed' THEN 0 ELSE attempts END WHERE {_SAME}",
        due.address,
        due.claim,
        due.seq,
        state,
        due_at,
        storable(error),
    )


async def _give_back(tx: Tx, due: DueName) -> None:
    """End this lease, also when the name was changed meanwhile and is due again.

    A lease that another worker has since, or that a later owner's name is under, is let be.
    """
    await tx.execute(
        "UPDATE reverse_name SET leased_until = NULL "
        "WHERE address = $1 AND claim = $2 AND leased_until = $3",
        due.address,
        due.claim,
        due.leased_until,
    )
    tx.publish("names")
    if due.order is not None:
        tx.publish(f"order:{due.order}")
