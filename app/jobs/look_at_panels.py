"""Ask panels of game servers what they have left: what can be sold goes by it."""

import asyncio
from typing import Any

import structlog

from app.core.database import Database
from app.core.errors import Refusal
from app.core.secrets import Vault
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.domain.games.room import note_rooms
from app.drivers.errors import DriverError
from app.drivers.game.contract import GamePeer
from app.drivers.peers import Peers
from app.jobs.sweeps import context_of

ASK_S = 60.0
log = structlog.get_logger()


async def look_at_panels(ctx: dict[str, Any]) -> None:
    """Ask those that products are sold at; one that does not answer keeps what it last said."""
    context = context_of(ctx)
    await ask_panels(context.database, context.vault, context.peers)


async def ask_panels(database: Database, vault: Vault, peers: Peers) -> None:
    """Write down what each panel that a product names has left, all asked at once."""
    async with database.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT DISTINCT c.name FROM connection c, product p, "
            "jsonb_array_elements(p.game_rules->'places') place "
            "WHERE c.kind = $1 AND place->>'connection' = c.name ORDER BY 1",
            Kind.GAME,
        )
    await asyncio.gather(*(_ask(database, vault, peers, row["name"]) for row in rows))


async def _ask(database: Database, vault: Vault, peers: Peers, name: str) -> None:
    try:
        async with database.snapshot() as tx:
            peer = await open_connection(tx, vault, name)
        if not isinstance(peer, GamePeer):
            return
        async with asyncio.timeout(ASK_S):
            rooms = await peers.game(peer).rooms()
    except (DriverError, Refusal, TimeoutError) as error:
        log.warning("games.panel_silent", connection=name, error=str(error))
        return
    async with database.transaction() as tx:
        await note_rooms(tx, name, rooms)
