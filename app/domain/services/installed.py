"""Read what was installed on a server for an order, and what its system sees of the machine."""

from datetime import datetime
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.inventory.fitness import Seen
from app.drivers.deploy.spec import InstallSpec


class Installed(msgspec.Struct, frozen=True):
    """An installation that is done."""

    id: UUID
    spec: InstallSpec
    seen: Seen
    """What the system sees of the machine; nothing where it did not tell."""
    begun_at: datetime


async def last_installed(tx: Tx, vault: Vault, order: UUID, server: UUID) -> Installed | None:
    """Return the latest installation of an order's system on a server that was finished."""
    row = await tx.fetchrow(
        "SELECT i.id, i.sealed_spec, i.seen, i.created_at FROM installation i "
        'JOIN service s ON s.id = i.service WHERE s."order" = $1 AND i.server = $2 '
        "AND i.purpose = 'install' AND i.state = 'installed' ORDER BY i.created_at DESC LIMIT 1",
        order,
        server,
    )
    if row is None:
        return None
    return Installed(
        row["id"],
        msgspec.json.decode(vault.open(row["sealed_spec"]), type=InstallSpec),
        Seen() if row["seen"] is None else msgspec.json.decode(row["seen"], type=Seen),
        row["created_at"],
    )
