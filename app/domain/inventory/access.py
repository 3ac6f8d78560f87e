"""What a BMC is, and whether its machine's serial line can be opened, as it said last."""

from datetime import timedelta
from uuid import UUID

from app.core.database import Tx
from app.domain.inventory.states import tell
from app.drivers.bmc.contract import Access
from app.drivers.bmc.serial_way import serial_offer

PERIOD = timedelta(days=1)
"""How long what it said holds: consoles are seldom switched on or off."""
AGAIN = timedelta(minutes=10)
"""When one that did not answer is asked again."""


async def take_access_due(tx: Tx, server: UUID) -> bool:
    """Say whether the server's BMC is to be asked now; who is told so asks it.

    One statement, for any number of workers; a worker that dies costs ten minutes.
    """
    taken = await tx.fetchval(
        "UPDATE bmc SET access_due_at = $2 WHERE server = $1 AND access_due_at <= $3 "
        "RETURNING true",
        server,
        tx.now() + AGAIN,
        tx.now(),
    )
    return bool(taken)


async def note_access(tx: Tx, server: UUID, access: Access) -> None:
    """Write down what the BMC said; pages are told of a change. One statement."""
    row = await tx.fetchrow(
        "WITH old AS (SELECT b.server, b.vendor, b.serial, s.holder FROM bmc b "
        "JOIN server s ON s.id = b.server WHERE b.server = $1 FOR NO KEY UPDATE OF b) "
        "UPDATE bmc b SET vendor = $2, serial = $3, access_due_at = $4 FROM old "
        "WHERE b.server = old.server "
        "RETURNING (old.vendor, old.serial) <> (b.vendor, b.serial) AS changed, old.holder",
        server,
        access.vendor,
        serial_offer(access.consoles),
        tx.now() + PERIOD,
    )
    if row is not None and row["changed"]:
        tell(tx, server, row["holder"])
