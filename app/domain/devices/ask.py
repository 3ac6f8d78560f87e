"""Have a switch or a PDU read, and keep what it says."""

from datetime import datetime, timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx, storable
from app.core.outbox import emit
from app.drivers.switching.contract import SwitchState

ASKED = "device.read"
"""Topic of the outbox: a device is to be read."""
READ_EVERY = timedelta(minutes=10)
AT_ONCE = 16
"""As many as a worker has sessions; the next sweep asks the next."""


async def ask_device(tx: Tx, device: UUID) -> None:
    """Have it read after the commit; the answer comes by `keep_state` or `keep_silence`."""
    await tx.execute("UPDATE device_access SET asked_at = $2 WHERE device = $1", device, tx.now())
    key = f"{ASKED}:{device}:{tx.now().isoformat()}"
    await emit(tx, ASKED, key, {"device": str(device)})
    tx.publish(f"device:{device}")


async def ask_due(tx: Tx) -> int:
    """Ask switches that were not asked for `READ_EVERY`, `AT_ONCE` at most; returns how many."""
    due = await tx.fetch(
        "SELECT a.device FROM device_access a JOIN device d ON d.id = a.device "
        "WHERE d.kind = 'switch' AND (asked_at IS NULL OR asked_at <= $1) "
        "ORDER BY asked_at NULLS FIRST LIMIT $2 FOR UPDATE OF a SKIP LOCKED",
        tx.now() - READ_EVERY,
        AT_ONCE,
    )
    for row in due:
        await ask_device(tx, row["device"])
    return len(due)


async def keep_state(tx: Tx, device: UUID, state: SwitchState) -> None:
    """Keep what it says in place of what it said before."""
    await tx.execute(
        "UPDATE device_access SET read_at = $2, error = '', state = $3 WHERE device = $1",
        device,
        tx.now(),
        msgspec.json.encode(state).decode(),
    )
    tx.publish(f"device:{device}")


async def keep_silence(tx: Tx, device: UUID, error: str) -> None:
    """Keep why it said nothing; what it said before stays."""
    await tx.execute(
        "UPDATE device_access SET error = $2 WHERE device = $1", device, storable(error)
    )
    tx.publish(f"device:{device}")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """What a switch said last."""

    asked_at: datetime | None
    read_at: datetime | None
    """None when it never answered."""
    error: str
    state: SwitchState | None

    @property
    def is_waiting(self) -> bool:
        if self.error or self.asked_at is None:
            return False
        return self.read_at is None or self.read_at < self.asked_at


async def last_said(tx: Tx, device: UUID) -> Said | None:
    """Return what a switch said last; None where it is not reached."""
    row = await tx.fetchrow(
        "SELECT asked_at, read_at, error, state FROM device_access WHERE device = $1", device
    )
    if row is None:
        return None
    state = (
        None
        if row["read_at"] is None
        else msgspec.json.decode(row["state"], type=SwitchState, strict=False)
    )
    return Said(asked_at=row["asked_at"], read_at=row["read_at"], error=row["error"], state=state)
