"""Cancel what is under way of a flow, when disabling it alone is not enough."""

from app.core.database import Tx
from app.flows.steer import By, cancel_if_open
from app.flows.views import LIVE


async def cancel_live(tx: Tx, flow: str, *, by: By, reason: str) -> int:
    """Ask every run of the flow that is under way to undo what it did and end; returns how many.

    Those that are being cancelled already are left alone. About four statements a run, in the
    order of their ids.
    """
    runs = await tx.fetch(
        "SELECT r.id FROM run r JOIN flow_version v ON v.id = r.flow_version "
        "JOIN flow f ON f.id = v.flow WHERE f.slug = $1 AND r.status = ANY($2) "
        "AND NOT r.cancel_requested ORDER BY r.id",
        flow,
        [status.value for status in LIVE],
    )
    asked = 0
    for row in runs:
        asked += await cancel_if_open(tx, row["id"], by=by, reason=reason)
    return asked
