"""Let nobody change a flow or a run until the transaction ends: for a look before a change."""

from uuid import UUID

from app.core.database import Tx


async def hold_run(tx: Tx, run: UUID) -> None:
    """Keep the run as it is; its worker waits with what it wants to write."""
    await tx.execute("SELECT 1 FROM run WHERE id = $1 FOR UPDATE", run)


async def hold_flow(tx: Tx, slug: str) -> None:
    """Keep the flow as it is: its versions, its bindings, and whether it is enabled."""
    await tx.execute("SELECT 1 FROM flow WHERE slug = $1 FOR NO KEY UPDATE", slug)
