"""Note which run delivers an order."""

from uuid import UUID

from app.core.database import Tx


async def attach_run(tx: Tx, order: UUID, run: UUID) -> None:
    await tx.execute("UPDATE client_order SET run = $2 WHERE id = $1", order, run)
    tx.publish(f"order:{order}", "dashboard")
