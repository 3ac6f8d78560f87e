"""End what a later event makes pointless: a suspension, when the service may run again."""

from collections.abc import Collection
from uuid import UUID

from app.core.database import Tx
from app.flows.steer import By, cancel_if_open
from app.flows.views import LIVE


async def supersede(tx: Tx, subject: UUID, events: Collection[str], *, by: str) -> int:
    """Ask the runs about `subject` that such events began to undo what they did and end.

    Returns how many are not over yet: what `by` is to bring about must wait for them, or a machine
    that they asked to stop minutes ago is switched off under who may use it again. A statement,
    and about four more for each of them.
    """
    runs = await tx.fetch(
        "SELECT r.id, r.cancel_requested FROM run r JOIN run_event q ON q.run = r.id "
        "AND q.kind = 'queued' WHERE r.subject = $1 AND q.facts->>'trigger' = ANY($2) "
        "AND r.status = ANY($3) ORDER BY r.id",
        subject,
        list(events),
        [status.value for status in LIVE],
    )
    for run in runs:
        if not run["cancel_requested"]:
            await cancel_if_open(tx, run["id"], by=By(None, by), reason=f"{by} came after it.")
    return len(runs)
