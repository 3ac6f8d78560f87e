"""Whether it is one server that fails, or what lies between us and all of them."""

from datetime import timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.inventory.power import ASKED
from app.domain.inventory.states import ServerState

LEAST_ASKED, LEAST_ASIDE = 3, 4
"""With fewer nothing can be told."""
LATELY = timedelta(minutes=10)

_SEEN = """
SELECT count(*) FILTER (WHERE s.state = ANY($1)) AS asked,
    count(b.silent_since) FILTER (WHERE s.state = ANY($1)) AS silent,
    count(*) FILTER (WHERE s.state_since > $3) AS tried,
    count(*) FILTER (WHERE s.state_since > $3 AND s.state = $4) AS aside
FROM server s JOIN bmc b ON b.server = s.id WHERE s.state = ANY($1 || $4::text) AND s.id <> $2
AND NOT (s.state = $4 AND s.state_since > $3 AND coalesce((
    SELECT e.before->>'state' FROM audit_entry e WHERE e.subject = s.id
    AND e.action = 'inventory.quarantine' ORDER BY e.at DESC, e.id DESC LIMIT 1
), '') = 'available')
"""
_SILENT = """
SELECT count(*) AS asked, count(b.silent_since) AS silent
FROM server s JOIN bmc b ON b.server = s.id WHERE s.state = ANY($1) AND s.id <> $2
"""


async def is_outage(tx: Tx, server: UUID) -> bool:
    """Return whether so many other servers fail that this one is hardly at fault.

    That is while more than half of the BMCs of servers in use are silent, or when more than a third
    of the servers that orders got in the last ten minutes were put aside; those that were free are
    no order's. One statement over the servers in use and in quarantine.
    """
    row = await tx.fetchrow(_SEEN, list(ASKED), server, tx.now() - LATELY, ServerState.quarantined)
    if row is None:
        return False
    are_aside = row["aside"] >= LEAST_ASIDE and row["aside"] * 3 > row["tried"]
    return are_aside or _are_most(row["silent"], row["asked"])


async def is_silence_common(tx: Tx, server: UUID) -> bool:
    """Return whether more than half of the other BMCs of servers in use, or free, are silent."""
    row = await tx.fetchrow(_SILENT, [*ASKED, ServerState.available], server)
    return row is not None and _are_most(row["silent"], row["asked"])


def _are_most(silent: int, asked: int) -> bool:
    return asked >= LEAST_ASKED and silent * 2 > asked
