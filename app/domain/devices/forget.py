"""Forget how a device is reached: it is taken out of its rack."""

from uuid import UUID

from app.core.database import Tx


async def forget_device(tx: Tx, device: UUID) -> None:
    """Delete its access, what its ports are to have, and changes that were asked of it."""
    await tx.execute("DELETE FROM switch_change WHERE device = $1", device)
    await tx.execute(
        "DELETE FROM switch_port WHERE port IN (SELECT id FROM port WHERE device = $1)", device
    )
    await tx.execute("DELETE FROM device_access WHERE device = $1", device)
