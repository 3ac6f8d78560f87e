"""A game server that was delivered, with no panel asked."""

from uuid import UUID

from app.core.database import Tx
from app.core.secrets import Vault
from app.domain.catalog.wants import game_made_of
from app.domain.games.note import note_access, note_game
from app.domain.games.owner import keep_owner
from app.domain.games.plan import write_game_plan
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.views import OrderView
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.game.contract import GameServer, GameState, Owner, Port
from tests.games.world import PLACE, RULES
from tests.machines.world import pay

PANEL_URL = "https://panel.example.net/server/1a7ce997"


async def delivered(tx: Tx, vault: Vault, order: OrderView) -> tuple[UUID, Owner]:
    """Pay an order of MC 2 and deliver it; returns its service and whose it is at the panel."""
    account = order.account_id
    await pay(tx, order)
    await mark_provisioning(tx, order.id)
    service = await open_service(tx, order.id)
    await write_game_plan(tx, service, "play", "", game_made_of(RULES, PLACE, order.selection))
    owner = await keep_owner(tx, vault, "play", account)
    server = GameServer(
        id="61", short="1a7ce997", name=order.hostname, state=GameState.READY, node="fra1",
        location="fra", username="ada-1a2b3c4d", owner=account, limits=RULES.limits.as_asked,
        port=Port(ip="192.0.2.7", port=25_565, host="fra1.play.example.net"), panel_url=PANEL_URL,
        service=service,
    )  # fmt: skip
    await note_game(tx, service, server)
    await note_access(tx, service, server, account)
    await deliver_service(tx, service, server=None)
    return service, owner
