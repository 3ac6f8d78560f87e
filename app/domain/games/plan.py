"""The plan of a service's game server: written before it is made, the same for every retry."""

from collections.abc import Iterable
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.domain.games.rules import MadeOf


class PlannedGame(msgspec.Struct, frozen=True, kw_only=True):
    """Where the game server of a service is or will be, and what it is made of."""

    service: UUID
    account: UUID
    hostname: str
    connection: str
    made_of: MadeOf


_PLANNED = """
SELECT g.service, s.account, s.hostname, g.connection, g.made_of FROM game_server g
JOIN service s ON s.id = g.service WHERE g.service = $1 AND g.removed_at IS NULL
"""


async def planned_game(tx: Tx, service: UUID) -> PlannedGame | None:
    """Return the plan of a server that is not removed; one statement."""
    row = await tx.fetchrow(_PLANNED, service)
    return None if row is None else _view(row)


async def panel_of(tx: Tx, service: UUID) -> str | None:
    """Return at which connection a service has its server, or had it; None without a plan."""
    name: str | None = await tx.fetchval(
        "SELECT connection FROM game_server WHERE service = $1", service
    )
    return name


async def planned_at(tx: Tx, connections: Iterable[str]) -> dict[str, int]:
    """Return how many servers are planned and not made, by connection.

    Others that plan, or sell, wait until this transaction ends: a port is not promised twice.
    """
    await tx.execute("SELECT pg_advisory_xact_lock(hashtextextended('games', 0))")
    rows = await tx.fetch(
        "SELECT connection, count(*) AS number FROM game_server WHERE made_at IS NULL "
        "AND removed_at IS NULL AND connection = ANY($1) GROUP BY connection",
        list(connections),
    )
    return {row["connection"]: row["number"] for row in rows}


async def write_game_plan(
    tx: Tx, service: UUID, connection: str, datacentre: str, wanted: MadeOf
) -> PlannedGame:
    """Write the plan down and return it; one that is there already is returned instead."""
    await tx.execute(
        "INSERT INTO game_server (id, service, connection, datacentre, made_of, planned_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (service) DO UPDATE SET "
        "connection = excluded.connection, datacentre = excluded.datacentre, "
        "made_of = excluded.made_of, planned_at = excluded.planned_at, number = '', node = '', "
        "state = '', address = '', username = '', panel_url = '', short = '', power = 'unknown', "
        "power_seen_at = NULL, drift = '', drift_since = NULL, seen_at = NULL, made_at = NULL, "
        "removed_at = NULL WHERE game_server.removed_at IS NOT NULL",
        new_id(),
        service,
        connection,
        datacentre,
        msgspec.json.encode(wanted).decode(),
        tx.now(),
    )
    row = await tx.fetchrow(_PLANNED, service)
    return _view(row)


async def forget_game_plan(tx: Tx, service: UUID) -> None:
    """Drop the plan of a server that is not to be made; without one, do nothing."""
    await tx.execute("DELETE FROM game_server WHERE service = $1", service)


def _view(row: asyncpg.Record | None) -> PlannedGame:
    found = dict(row or {})
    return msgspec.convert({**found, "made_of": msgspec.json.decode(found["made_of"])}, PlannedGame)
