"""What orders of a product get: servers, machines or game servers, or what a flow alone brings."""

from enum import StrEnum
from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid


class ProductKind(StrEnum):
    """How orders of a product are delivered, and what is held for them."""

    SERVER = "server"
    """A server of the inventory, with addresses: both are held."""
    MACHINE = "machine"
    """A virtual machine at a provider: its addresses are held."""
    GAME = "game"
    """A game server at a panel, which has the ports: room there is counted."""
    CUSTOM = "custom"
    """What its flow gets from an API: nothing is held, a number may be the limit."""

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    ProductKind.SERVER: "physical servers",
    ProductKind.MACHINE: "virtual machines",
    ProductKind.GAME: "game servers",
    ProductKind.CUSTOM: "custom services",
}
RULES = {
    ProductKind.SERVER: "server_rules",
    ProductKind.MACHINE: "machine_rules",
    ProductKind.GAME: "game_rules",
    ProductKind.CUSTOM: "custom_rules",
}
"""The column that makes a product one of a kind."""
KIND_OF_P = (
    "CASE WHEN p.machine_rules IS NOT NULL THEN 'machine' WHEN p.game_rules IS NOT NULL "
    "THEN 'game' WHEN p.custom_rules IS NOT NULL THEN 'custom' ELSE 'server' END"
)
"""The kind of the product `p`, in a statement."""


async def check_kind(tx: Tx, slug: str, category: UUID, kind: ProductKind) -> None:
    """Refuse another kind than a product was ordered with, or than its category has.

    What is held for the orders would be lost, and one flow delivers a whole category. Raises
    Invalid; one statement.
    """
    row = await tx.fetchrow(
        f"SELECT (SELECT {KIND_OF_P} FROM product p WHERE p.slug = $1 AND {KIND_OF_P} <> $3 "
        "AND EXISTS (SELECT FROM client_order o WHERE o.product = p.id)) AS sold, "
        f"(SELECT ARRAY[p.name, {KIND_OF_P}] FROM product p WHERE p.category = $2 "
        f"AND p.slug <> $1 AND {KIND_OF_P} <> $3 LIMIT 1) AS beside",
        slug,
        category,
        kind,
    )
    if row is not None and row["sold"]:
        was = ProductKind(row["sold"]).words
        fault = f"{slug} was ordered with {was}: sell {kind.words} under a new name."
        field = RULES[kind if kind is not ProductKind.SERVER else ProductKind(row["sold"])]
        raise Invalid({field: fault})
    if row is not None and row["beside"]:
        name, other = row["beside"]
        fault = (
            f"{name} is of {ProductKind(other).words}: {kind.words} need a category, and flows, "
            "of their own."
        )
        raise Invalid({"category": fault})


async def kind_of_order(tx: Tx, order: UUID) -> ProductKind:
    """Return the kind of what was ordered; one statement."""
    found = await tx.fetchval(
        f"SELECT {KIND_OF_P} FROM client_order o JOIN product p ON p.id = o.product "
        "WHERE o.id = $1",
        order,
    )
    return ProductKind(found or ProductKind.SERVER)
