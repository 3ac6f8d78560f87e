"""Write a note on an order, for the staff who look at it."""

from uuid import UUID

from app.core.database import Tx, storable
from app.core.errors import Invalid, NotFound
from app.domain.audit.record import record

LONGEST_CHARS = 2_000


async def note_order(
    tx: Tx, order: UUID, text: str, *, actor: UUID | None, actor_label: str
) -> None:
    """Add a note to the order's trail; what is longer than 2,000 characters is cut.

    Raises Invalid without a text, NotFound without an order.
    """
    words = storable(text.strip(), LONGEST_CHARS)
    if not words:
        raise Invalid({"text": "A note needs words."})
    if not await tx.fetchval("SELECT EXISTS (SELECT FROM client_order WHERE id = $1)", order):
        raise NotFound("order", order)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="order.noted",
        subject_kind="order",
        subject=order,
        before={},
        after={},
        reason=words,
    )
    tx.publish(f"order:{order}")
