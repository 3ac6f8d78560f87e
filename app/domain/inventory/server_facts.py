"""What events say of a server that nobody has."""

from uuid import UUID

import msgspec

from app.core.database import Tx


class ServerFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What an event says of a server."""

    server: UUID
    name: str
    serial: str
    datacentre: str
    rack: str
    reason: str = ""
    """Why it came to this."""


class BurnInFacts(ServerFacts, frozen=True, kw_only=True):
    """What an event says of a server that is to be burned in."""

    burn_in: UUID
    minutes: int
    """How long it is to be under load."""


async def is_at_cloud(tx: Tx, server: UUID) -> bool:
    """Return whether a cloud of bare metal has the server, so that we do not boot it."""
    return bool(
        await tx.fetchval("SELECT EXISTS (SELECT FROM metal_node WHERE server = $1)", server)
    )


async def facts_of(tx: Tx, server: UUID) -> ServerFacts | None:
    """Return what events say of a server; None of one that we do not boot: a cloud has it."""
    row = await tx.fetchrow(
        "SELECT s.id AS server, s.name, s.serial, d.code AS datacentre, r.name AS rack, "
        "s.state_reason AS reason "
        "FROM server s JOIN rack r ON r.id = s.rack JOIN datacentre d ON d.id = r.datacentre "
        "WHERE s.id = $1 AND NOT EXISTS (SELECT FROM metal_node WHERE server = s.id)",
        server,
    )
    return None if row is None else msgspec.convert(dict(row), ServerFacts)
