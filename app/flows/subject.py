"""From what a run is about to the order behind it."""

from uuid import UUID

from app.core.database import Tx
from app.flows.node import Step, StepFailed

_ORDER = """
SELECT id FROM client_order WHERE id = $1
UNION ALL SELECT "order" FROM service WHERE id = $1
UNION ALL SELECT i."order" FROM payment p JOIN invoice i ON i.id = p.invoice
          WHERE p.id = $1 AND i."order" IS NOT NULL
"""


async def order_of(tx: Tx, step: Step) -> UUID:
    """Return the order that the run is about, or whose service or payment it is about.

    One statement. Raises StepFailed where there is none.
    """
    order: UUID | None = await tx.fetchval(_ORDER, step.subject)
    if order is None:
        raise StepFailed("this run is about no order; start it from one, or from its service")
    return order


async def label_of(tx: Tx, step: Step) -> str:
    """Return `flow dedicated-server`, as the audit trail names who did it."""
    slug: str | None = await tx.fetchval(
        "SELECT f.slug FROM run r JOIN flow_version v ON v.id = r.flow_version "
        "JOIN flow f ON f.id = v.flow WHERE r.id = $1",
        step.run,
    )
    return f"flow {slug}" if slug else "flow"
