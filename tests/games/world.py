"""A product of game servers, and what is needed to sell it."""

from typing import Any

from msgspec.structs import replace

from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import Vault
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed, OptionGroupSeed, OptionSeed
from app.domain.catalog.selection import read_selection
from app.domain.connections.add import add_connection
from app.domain.connections.kinds import Kind
from app.domain.games.room import note_rooms
from app.domain.games.rules import GameLimits, GamePlace, GameRules
from app.domain.orders.place import OrderRequest, place
from app.domain.orders.views import OrderView
from app.drivers.game.contract import GameRoom
from lab.pterodactyl.furnish import APPLICATION_KEY, CLIENT_KEY
from tests.catalog.shop import FORM, SERVER

PLACE = GamePlace(connection="play", locations=("fra",))
RULES = GameRules(
    egg="Minecraft/Paper",
    limits=GameLimits(memory_mb=2_048, disk_mb=10_240, cpu_percent=200, databases=1, backups=2),
    variables={"SERVER_JARFILE": "paper.jar"},
    chosen={"MINECRAFT_VERSION": "version"},
    places=(PLACE,),
)
VERSION = OptionGroupSeed(
    code="version",
    name="Version",
    is_required=True,
    options=(OptionSeed(code="1.21.4", name="1.21.4"), OptionSeed(code="1.20.1", name="1.20.1")),
)
GAME = replace(SERVER, slug="mc-2", name="MC 2", game_rules=RULES, groups=(VERSION,))
LARGE = replace(
    GAME,
    slug="mc-8",
    name="MC 8",
    game_rules=replace(RULES, limits=replace(RULES.limits, memory_mb=8_192, backups=5)),
)
ROOM = GameRoom(
    node="fra1", location="fra", is_open=True, free_memory_mb=64_000, free_disk_mb=None,
    free_ports=3,
)  # fmt: skip


async def a_panel(tx: Tx, vault: Vault, name: str = "play", **typed: Any) -> None:
    asked = {
        "provider": "pterodactyl",
        "base_url": "https://192.0.2.1",
        "secret": APPLICATION_KEY,
        "client_key": CLIENT_KEY,
        "trust": "system",
    }
    await add_connection(
        tx, vault, name=name, kind=Kind.GAME, typed=asked | typed, actor=None, actor_label="test"
    )


async def a_game_shop(tx: Tx, vault: Vault, **panel: Any) -> None:
    """Sell MC 2 and MC 8 at a panel; `panel` is what is typed of its connection."""
    await a_panel(tx, vault, **panel)
    await note_rooms(tx, "play", [replace(ROOM, free_ports=100)])
    category = CategorySeed(slug="games", name="Game servers", products=(GAME, LARGE))
    await register_catalog(tx, CatalogSeed(categories=(category,)))


async def a_game_order(
    tx: Tx, account: Any, *, product: str = "mc-2", **typed: str | list[str]
) -> OrderView:
    asked = {"version": "1.21.4", "hostname": "mc.example.org"}
    request = OrderRequest(
        account=account,
        product=product,
        selection=read_selection(await find_product(tx, product), FORM | asked | typed),
        idempotency_key=str(new_id()),
    )
    return await place(tx, request)
