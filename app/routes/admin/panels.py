"""Ask the connected panels of game servers what products can be made of."""

import asyncio
from datetime import datetime

from app.components.admin.game_rules import Panels
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.drivers.errors import DriverError
from app.drivers.game.contract import GameOffers, GamePeer
from app.drivers.peers import Peers

ASK_S = 8.0


async def read_panels(db: Database, vault: Vault, peers: Peers) -> Panels:
    """Return what can be chosen; all are asked at once, each for 8 s at most.

    What one said within the last minute holds, unless its connection was changed since.
    """
    async with db.snapshot() as tx:
        rows = await tx.fetch(
            "SELECT name, updated_at FROM connection WHERE kind = $1 ORDER BY 1", Kind.GAME
        )
        opened = [
            (peer, row["updated_at"])
            for row in rows
            for peer in [await open_connection(tx, vault, row["name"])]
            if isinstance(peer, GamePeer)
        ]
    answers = await asyncio.gather(*(_ask(peers, peer, since) for peer, since in opened))
    told = dict(zip((peer.name for peer, _ in opened), answers, strict=True))
    return Panels(
        connections=list(told),
        offers={name: answer for name, answer in told.items() if isinstance(answer, GameOffers)},
        silent={name: answer for name, answer in told.items() if isinstance(answer, str)},
    )


async def _ask(peers: Peers, peer: GamePeer, since: datetime) -> GameOffers | str:
    """Return what the panel has, or why it does not say."""
    try:
        async with asyncio.timeout(ASK_S):
            game = peers.game(peer)
            return await peers.recent.get((Kind.GAME, peer.name, since), game.offers)
    except DriverError as error:
        return f"{error.message[:1].upper()}{error.message[1:]}."
    except TimeoutError:
        return f"It does not answer within {ASK_S:g} s."
