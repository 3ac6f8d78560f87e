"""How many more of a product that its flow alone delivers may be sold."""

from uuid import UUID

from app.core.database import Tx

ANY = 10_000
"""Told where there is no limit."""

_SOLD = """
SELECT count(*) FROM client_order o LEFT JOIN service s ON s."order" = o.id
WHERE o.product = $1 AND o.id IS DISTINCT FROM $2 AND s.state IS DISTINCT FROM 'terminated'
AND (o.state IN ('paid', 'provisioning', 'delivered')
     OR (o.state IN ('held', 'awaiting_payment') AND o.hold_expires_at > $3))
"""


async def custom_stock(
    tx: Tx, product: UUID, at_most: int | None, *, but: UUID | None = None
) -> int:
    """Return how many more may be sold: what was ordered and runs is taken; one statement.

    `but` is an order that is not counted.
    """
    if at_most is None:
        return ANY
    sold: int = await tx.fetchval(_SOLD, product, but, tx.now())
    return max(at_most - sold, 0)
