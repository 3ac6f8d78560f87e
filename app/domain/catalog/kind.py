"""What the machines of a product are: physical servers, or virtual ones at a provider."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid


async def check_kind(tx: Tx, slug: str, category: UUID, *, is_virtual: bool) -> None:
    """Refuse another kind of machines than a product was ordered with, or than its category has.

    What is held for the orders would be lost, and one flow delivers a whole category. Raises
    Invalid; one statement.
    """
    row = await tx.fetchrow(
        "SELECT (SELECT EXISTS (SELECT FROM client_order o WHERE o.product = p.id) FROM product p "
        "WHERE p.slug = $1 AND (p.machine_rules IS NOT NULL) <> $3) AS is_sold, "
        "(SELECT p.name FROM product p WHERE p.category = $2 AND p.slug <> $1 "
        "AND (p.machine_rules IS NOT NULL) <> $3 LIMIT 1) AS beside",
        slug,
        category,
        is_virtual,
    )
    kind, other = "physical servers", "virtual machines"
    if is_virtual:
        kind, other = other, kind
    if row is not None and row["is_sold"]:
        fault = f"{slug} was ordered with {other}: sell {kind} under a new name."
        raise Invalid({"machine_rules": fault})
    if row is not None and row["beside"] is not None:
        fault = f"{row['beside']} is of {other}: {kind} need a category, and flows, of their own."
        raise Invalid({"category": fault})
