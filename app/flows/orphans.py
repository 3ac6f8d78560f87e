"""What runs left behind: taken by one that has ended, and neither delivered nor given back.

Nothing is changed here. A sweep tells the staff of each once; what is done about it is theirs.
"""

from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.outbox import emit

GRACE = timedelta(minutes=10)
"""How long after its end a run may still have something: its last words are on their way."""
MOST = 500


class OrphanKind(StrEnum):
    """What was left behind."""

    resource = "resource"
    """A line of the ledger that is still `taken`."""

    server = "server"
    """A machine that is kept for an order whose delivery has ended without it."""

    addresses = "addresses"
    """Addresses kept for such an order."""

    place = "place"
    """A place in a run that has ended: nobody goes on from there."""

    installation = "installation"
    """An installation that waits for a machine though its run has ended."""


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that nothing takes care of any more."""

    kind: OrphanKind
    reference: str
    """What it is, such as a server's name; with `kind` and `run` it is told apart."""
    words: str
    run: UUID
    run_status: str
    flow_name: str
    order_number: int | None
    ended_at: datetime

    @property
    def key(self) -> str:
        return f"admin.notice:orphan:{self.kind}:{self.run}:{self.reference}"[:300]


# A flow that succeeds may well keep what it made (a record in the DNS, a credit); what is held for
# a client is delivered or given back by every flow. A sub-flow's run answers for itself.
_RESOURCES = """
SELECT 'resource' AS kind, x.kind || ' ' || x.reference AS reference,
       'The ledger still has it as taken by ' || x.node || '.' AS words, x.run
FROM run_resource x JOIN ended r ON r.id = x.run
WHERE x.state = 'taken' AND x.kind <> 'run'
  AND (r.status <> 'succeeded' OR x.kind IN ('server', 'addresses', 'installation'))
"""
_SERVERS = """
SELECT 'server' AS kind, s.name AS reference,
       'It is ' || s.state || ' for an order that is ' || l.state || '.' AS words, l.run
FROM lost l JOIN server s ON s.holder = l.id
WHERE s.state IN ('held', 'provisioning', 'active') AND s.hold_expires_at IS NULL
"""
_ADDRESSES = """
SELECT 'addresses' AS kind, 'order ' || l.number AS reference,
       count(*) || ' are kept for an order that is ' || l.state || '.' AS words, l.run
FROM lost l JOIN address_claim c ON c.holder = l.id
WHERE c.state IN ('held', 'assigned') AND c.expires_at IS NULL GROUP BY l.number, l.state, l.run
"""
_PLACES = """
SELECT 'place' AS kind, t.scope || ' ' || t.node AS reference,
       'It is ' || t.state || ' in a run that has ended.' AS words, t.run
FROM token t JOIN ended r ON r.id = t.run
"""
_INSTALLATIONS = """
SELECT 'installation' AS kind, i.id::text AS reference,
       'It is ' || i.state || ', and its token still opens its files.' AS words, r.id AS run
FROM installation i JOIN ended r ON r.id::text = split_part(i.step_key, ':', 1)
WHERE i.state IN ('prepared', 'booted', 'installing')
"""
_ORPHANS = f"""
WITH ended AS (
    SELECT id, status FROM run
    WHERE status IN ('succeeded', 'failed', 'cancelled') AND finished_at < $1
), lost AS (
    SELECT o.id, o.number, o.state, o.run FROM client_order o JOIN ended r ON r.id = o.run
    WHERE o.state <> 'delivered' AND NOT EXISTS (
        SELECT FROM run l WHERE l.subject = o.id
        AND l.status NOT IN ('succeeded', 'failed', 'cancelled'))
), found AS (
    {_RESOURCES} UNION ALL {_SERVERS} UNION ALL {_ADDRESSES} UNION ALL {_PLACES}
    UNION ALL {_INSTALLATIONS}
)
SELECT found.kind, found.reference, found.words, found.run, r.status AS run_status,
       f.name AS flow_name, o.number AS order_number, r.finished_at AS ended_at
FROM found JOIN run r ON r.id = found.run JOIN flow_version v ON v.id = r.flow_version
JOIN flow f ON f.id = v.flow LEFT JOIN client_order o ON o.id = r.subject
ORDER BY r.finished_at, found.run, found.kind, found.reference LIMIT {MOST}
"""


async def find_orphans(tx: Tx) -> tuple[Orphan, ...]:
    """Return what ended runs left behind, the oldest first, 500 at most; empty when all is well.

    One statement, over what is held and not over what ever ran: some 10 ms for 10,000 runs.
    """
    rows = await tx.fetch(_ORPHANS, tx.now() - GRACE)
    return tuple(msgspec.convert(dict(row), Orphan) for row in rows)


async def report_orphans(tx: Tx) -> int:
    """Tell the staff of each orphan, once while it lasts; returns how many there are."""
    orphans = await find_orphans(tx)
    for orphan in orphans:
        about = f" for order {orphan.order_number}" if orphan.order_number else ""
        await emit(
            tx,
            "admin.notice",
            orphan.key,
            {
                "kind": "run.orphan",
                "run": str(orphan.run),
                "path": f"/admin/runs/{orphan.run}",
                "title": f"Left behind: {orphan.kind} {orphan.reference}",
                "text": f"A run of {orphan.flow_name}{about} has {orphan.run_status}. "
                f"{orphan.words} Nothing was changed: give it back, or keep it on purpose.",
            },
        )
    return len(orphans)
