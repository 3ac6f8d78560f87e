"""Whether anything was done yet to a client's machine that is to be rescued or installed anew.

Its installation's stage says so, and is written before the machine is told anything: what a client
reads of a BMC that does not answer holds after a crash, too.
"""

from uuid import UUID

from app.core.database import Tx

UNTOUCHED = "waiting for the BMC; nothing was done to the machine"
"""From the start, in this try and all before it, until the BMC has answered once."""
AWAITED = "waiting for the BMC"
"""The BMC went away after the machine had been told something, or may have been."""
BOOTS = "the machine boots"
"""From the moment before the BMC is told the first thing."""

_NOTE = f"""
UPDATE installation i SET stage = CASE WHEN $2 <> '{UNTOUCHED}' THEN $2
    WHEN i.stage IN ('', '{UNTOUCHED}') AND NOT EXISTS (
        SELECT FROM installation e WHERE e.service = i.service AND e.id < i.id
        AND starts_with(e.step_key, $3) AND e.stage <> '{UNTOUCHED}'
    ) THEN $2 ELSE '{AWAITED}' END
WHERE i.id = $1 AND i.state = 'prepared' RETURNING i.service
"""


async def note_reach(tx: Tx, installation: UUID, stage: str, *, step: str) -> None:
    """Note `UNTOUCHED`, `BOOTS` or `AWAITED` of an installation that its machine said nothing of.

    `step` begins the keys of all tries of its step. What was touched by any of them is not called
    untouched any more.
    """
    service = await tx.fetchval(_NOTE, installation, stage, step)
    if service is not None:
        tx.publish(f"service:{service}")


async def is_untouched(tx: Tx, installation: UUID) -> bool:
    """Return whether nothing was done to its machine because the BMC was not reached."""
    found: str = await tx.fetchval("SELECT stage FROM installation WHERE id = $1", installation)
    return found == UNTOUCHED
