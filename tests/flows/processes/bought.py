"""Game servers and custom services in the world of these tests: at a panel, and at an API."""

from collections import Counter
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from app.core.database import Tx
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed
from app.domain.catalog.wants import game_made_of
from app.domain.games.note import note_game
from app.domain.games.plan import write_game_plan
from app.domain.games.room import note_rooms
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.states import OrderState, move
from app.domain.orders.views import OrderView
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.game.contract import GameServer, GameState
from lab.pterodactyl.things import Allocation, Server
from lab.pterodactyl.web import PanelWeb
from tests.games.store import POLLS, STORE, Store, a_store_order
from tests.games.world import GAME, LARGE, PLACE, ROOM, RULES, a_game_order

PORTS = 1_000
"""More than there are runs."""


def make_room(web_: PanelWeb) -> None:
    """Have ports for all, and nobody asked to wait: what takes time here is other tests' subject."""
    panel = web_.panel
    web_.per_minute = dict.fromkeys(web_.per_minute, 1_000_000)
    for node in panel.nodes.values():
        node.memory_overallocate = node.disk_overallocate = -1
    node_id = next(iter(panel.nodes))
    for port in range(30_000, 30_000 + PORTS):
        number = panel.number()
        panel.allocations[number] = Allocation(number, node_id, "192.0.2.9", port)


async def sell_more(tx: Tx) -> None:
    """Have products of both, at the connections that the shipped flows name."""
    await note_rooms(tx, "play", [replace(ROOM, free_memory_mb=None, free_ports=PORTS)])
    games = CategorySeed(slug="games", name="Game servers", products=(GAME, LARGE))
    stores = CategorySeed(slug="stores", name="Stores", products=(STORE,))
    await register_catalog(tx, CatalogSeed(categories=(games, stores)))


async def a_game(tx: Tx, panel: PanelWeb, client: UUID, flow: str, name: str) -> OrderView:
    """Return a paid order of a game server; of other flows than its delivery, it is there."""
    order = await a_game_order(tx, client, hostname=name)
    await move(tx, order.id, OrderState.paid)
    if flow == "game-pterodactyl":
        return order
    await mark_provisioning(tx, order.id)
    service = await open_service(tx, order.id)
    await write_game_plan(tx, service, "play", "", game_made_of(RULES, PLACE, order.selection))
    server = _a_server(panel, order, service)
    server.status = "suspended" if flow == "game-unsuspended" else None
    shown = GameServer(
        id=str(server.id), short=server.short, name=name, state=GameState.READY, node="fra1",
        location="fra", username="", owner=client, limits=RULES.limits.as_asked, port=None,
        panel_url="", service=service,
    )  # fmt: skip
    await note_game(tx, service, shown)
    await deliver_service(tx, service, server=None)
    return order


def _a_server(web_: PanelWeb, order: OrderView, service: UUID) -> Server:
    panel, owner = web_.panel, order.account_id
    egg = next(egg for egg in panel.eggs.values() if egg.name == "Paper")
    user = panel.add_user(
        {"email": f"{owner.hex}@example.org", "username": owner.hex, "first_name": "A",
         "last_name": "B", "external_id": str(owner)}
    )  # fmt: skip
    limits = RULES.limits
    return panel.add_server(
        {"external_id": str(service), "name": order.hostname, "user": user.id, "egg": egg.id,
         "docker_image": egg.docker_image, "startup": egg.startup,
         "environment": {"SERVER_JARFILE": "paper.jar"},
         "limits": {"memory": limits.memory_mb, "swap": 0, "disk": limits.disk_mb, "io": 500,
                    "cpu": limits.cpu_percent},
         "feature_limits": {"databases": limits.databases, "backups": limits.backups},
         "deploy": {"locations": [], "dedicated_ip": False, "port_range": []}}
    )  # fmt: skip


async def a_custom_service(tx: Tx, store: Store, client: UUID, flow: str, name: str) -> OrderView:
    """Return a paid order of a store; of other flows than its delivery, it is there."""
    order = await a_store_order(tx, client, name)
    await move(tx, order.id, OrderState.paid)
    if flow != "custom-http":
        await mark_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
        await deliver_service(tx, service, server=None)
        state = "suspended" if flow.endswith("-unsuspended") else "active"
        store.made[str(service)] = {"plan": "17", "state": state, "looks": POLLS}
    return order


def at_the_provider(
    panel: PanelWeb, store: Store, service: UUID | None, account: UUID | None
) -> Counter[Any]:
    """Return what there is of a service, its owner with it: the same of two that were done alike."""
    found: Counter[Any] = Counter()
    for server in panel.panel.servers.values():
        if server.external_id == str(service):
            owner = panel.panel.users[server.owner]
            found[
                server.status, server.power, server.limits["memory"], server.installs > 0,
                owner.external_id == str(account),
            ] += 1  # fmt: skip
    found["owners"] = sum(user.external_id == str(account) for user in panel.panel.users.values())
    made = store.made.get(str(service))
    if made is not None:
        found[tuple((key, str(made.get(key))) for key in ("plan", "state", "reinstalls"))] += 1
    return found
