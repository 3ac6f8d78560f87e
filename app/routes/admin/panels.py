"""Ask the connected panels of game servers what products can be made of."""

from app.components.admin.game_rules import Panels
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.connections.kinds import Kind
from app.drivers.game.contract import GameOffers, GamePeer
from app.drivers.peers import Peers
from app.routes.admin.offered import ask_all, open_all


async def read_panels(db: Database, vault: Vault, peers: Peers) -> Panels:
    """Return what can be chosen, as `ask_all` learns it."""
    async with db.snapshot() as tx:
        opened = await open_all(tx, vault, Kind.GAME, GamePeer)
    told = await ask_all(peers, Kind.GAME, opened, lambda peer: peers.game(peer).offers())
    return Panels(
        connections=list(told),
        offers={name: answer for name, answer in told.items() if isinstance(answer, GameOffers)},
        silent={name: answer for name, answer in told.items() if isinstance(answer, str)},
    )
