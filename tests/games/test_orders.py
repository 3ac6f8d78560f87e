"""Orders of game servers: what is counted for them, and what stands in the way of what."""

from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from app.cli.import_ import ProviderFile, register_provider
from app.core.clock import SetClock
from app.core.database import Database
from app.core.errors import Invalid
from app.core.secrets import Vault
from app.domain.billing.refund import refund_order
from app.domain.catalog.change_game_rules import change_game_rules
from app.domain.catalog.find import find_product
from app.domain.catalog.register import register_catalog
from app.domain.catalog.seed import CatalogSeed, CategorySeed
from app.domain.catalog.stock import stock_at, stock_of_products
from app.domain.catalog.wants import game_made_of
from app.domain.connections.errors import ConnectionHasMachines
from app.domain.connections.find import id_of
from app.domain.connections.remove import remove_connection
from app.domain.games.check import game_offer_faults
from app.domain.games.choose import Seen, choose_panel, fits, why_nowhere
from app.domain.games.note import note_game
from app.domain.games.plan import forget_game_plan, planned_at, planned_game, write_game_plan
from app.domain.games.room import note_rooms
from app.domain.games.rules import CustomRules, GamePlace
from app.domain.orders.errors import MachineIsVirtual, OrderAtWork, OutOfStock
from app.domain.orders.explain import explain_order
from app.domain.orders.find import find_order
from app.domain.orders.hold import renew_hold
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.outlook import outlooks
from app.domain.orders.what_if import sell
from app.domain.services.open import open_service
from app.drivers.game.contract import (
    Egg,
    GameOffers,
    GameServer,
    GameState,
    Location,
    Variable,
)
from tests.catalog.shop import SERVER
from tests.games.world import GAME, PLACE, ROOM, RULES, a_game_order, a_game_shop, a_panel
from tests.machines.world import MACHINE, pay
from tests.orders.world import a_client

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"
REASON = {"actor": None, "actor_label": "test", "reason": "test"}


def test_room_is_the_least_of_ports_memory_and_disk() -> None:
    limits = RULES.limits
    assert fits(PLACE, [ROOM], limits) == 3
    assert fits(PLACE, [replace(ROOM, free_memory_mb=4_100)], limits) == 2
    assert fits(PLACE, [replace(ROOM, free_disk_mb=10_239)], limits) == 0
    assert fits(PLACE, [replace(ROOM, free_memory_mb=None)], limits) == 3
    assert fits(PLACE, [replace(ROOM, is_open=False), replace(ROOM, location="ams")], limits) == 0
    assert fits(replace(PLACE, locations=()), [ROOM, replace(ROOM, location="ams")], limits) == 6


def test_the_panel_with_the_most_room_is_taken() -> None:
    other = GamePlace(connection="other")
    here, there = Seen(PLACE, (ROOM,)), Seen(other, (replace(ROOM, free_ports=4),))
    limits = RULES.limits
    assert choose_panel([here, there], limits, promised={}) == other
    assert choose_panel([here, there], limits, promised={"other": 1}) == PLACE, "equals: the first"
    assert choose_panel([here], limits, promised={"play": 3}) is None
    assert choose_panel([], limits, promised={}) is None
    told = why_nowhere(
        [here, Seen(replace(PLACE, locations=("mars",)), (ROOM,))], {"x": "no"}, limits
    )
    assert told.splitlines() == [
        "play: no room for 2 GB memory, 10 GB disk, 200 % CPU on fra1 (3 ports).",
        "play: it has no node in mars.",
        "x does not answer: no",
    ]


def test_names_are_looked_up_where_the_panel_could_be_asked() -> None:
    variable = Variable(code="MINECRAFT_VERSION", label="V", default="", rules="")
    egg = Egg(code=RULES.egg, label="Paper", images=("java",), variables=(variable,))
    offers = {"play": GameOffers(locations=(Location("fra", "F"),), eggs=(egg,))}
    assert game_offer_faults(RULES, {}) == {}
    assert game_offer_faults(replace(RULES, variables={}), offers) == {}
    wrong = replace(RULES, places=(replace(PLACE, locations=("fra", "mars")),))
    assert game_offer_faults(wrong, offers) == {
        "places.0.locations": "play has no location mars.",
        "variables.SERVER_JARFILE": "Minecraft/Paper has no variable SERVER_JARFILE.",
    }
    assert "egg" in game_offer_faults(replace(RULES, egg="Minecraft/Forge"), offers)


async def test_the_last_one_is_sold_once(database: Database, vault: Vault, clock: SetClock) -> None:
    async with database.transaction() as tx:
        await a_game_shop(tx, vault)
        await note_rooms(tx, "play", [replace(ROOM, free_ports=1)])
        client = await a_client(tx)
        order = await a_game_order(tx, client)
        product = await find_product(tx, "mc-2")
        assert (await stock_of_products(tx))[product.id] == 0
        assert not (await sell(tx, "mc-2", 1)).is_possible
        told = next(one for one in await outlooks(tx) if one.slug == "mc-2")
        assert (told.servers, told.ip4) == (0, 0)
        assert await tx.fetchval("SELECT count(*) FROM address_claim") == 0
        with pytest.raises(MachineIsVirtual):
            await explain_order(tx, order.id)
    with pytest.raises(OutOfStock, match="MC 8 is sold out"):
        async with database.transaction() as tx:
            await a_game_order(tx, client, product="mc-8")
    clock.advance(minutes=16)
    async with database.transaction() as tx:
        assert (await stock_of_products(tx))[product.id] == 1, "its hold is over"
        assert await renew_hold(tx, order.id, hold_for=timedelta(minutes=15)) is not None
        await pay(tx, order)
        assert (await find_order(tx, order.id)).state_reason == ""
    clock.advance(minutes=16)
    async with database.transaction() as tx:
        assert (await stock_of_products(tx))[product.id] == 0, "what is paid counts for ever"


async def test_what_was_made_since_the_panel_was_asked_counts(
    database: Database, vault: Vault, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await a_game_shop(tx, vault)
        await note_rooms(tx, "play", [ROOM])
        order = await a_game_order(tx, await a_client(tx))
        product = await find_product(tx, "mc-2")
        await pay(tx, order)
        await mark_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
        wanted = game_made_of(RULES, PLACE, order.selection)
        assert wanted.variables["MINECRAFT_VERSION"] == "1.21.4"
        first = await write_game_plan(tx, service, "play", "", wanted)
        assert await write_game_plan(tx, service, "other", "", wanted) == first
        assert await planned_game(tx, service) == first
        assert await planned_at(tx, ["play", "other"]) == {"play": 1}
    clock.advance(seconds=1)
    async with database.transaction() as tx:
        server = GameServer(
            id="7", short="abc", name="mc", state=GameState.READY, node="fra1", location="fra",
            username="robin", owner=None, limits=RULES.limits.as_asked, port=None, panel_url="x",
            service=service,
        )  # fmt: skip
        await note_game(tx, service, server)
        assert (await stock_of_products(tx))[product.id] == 2
    clock.advance(seconds=1)
    async with database.transaction() as tx:
        await note_rooms(tx, "play", [replace(ROOM, free_ports=2)])
        assert (await stock_of_products(tx))[product.id] == 2
        with pytest.raises(OrderAtWork):
            await refund_order(tx, order.id, **REASON)
        with pytest.raises(ConnectionHasMachines, match="machines of services"):
            await remove_connection(tx, await id_of(tx, "play"), actor=None, actor_label="test")
        await forget_game_plan(tx, service)
        with pytest.raises(ConnectionHasMachines, match="MC 2"):
            await remove_connection(tx, await id_of(tx, "play"), actor=None, actor_label="test")
        assert (await stock_of_products(tx))[product.id] == 1, "it is still to be made"
        await tx.execute("UPDATE client_order SET state = 'delivered' WHERE id = $1", order.id)
        assert (await stock_of_products(tx))[product.id] == 2, "delivered is promised no more"
        await tx.execute("UPDATE client_order SET state = 'provisioning' WHERE id = $1", order.id)
        await refund_order(tx, order.id, **REASON)


async def test_a_place_is_chosen_by_the_client(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        await a_game_shop(tx, vault)
        product = await find_product(tx, "mc-2")
        rules = replace(RULES, places=(replace(PLACE, datacentre="fra1"), PLACE))
        await change_game_rules(tx, product.id, rules, offers={}, **REASON)
        product = await find_product(tx, "mc-2")
        stock = await stock_at(tx, [product], ["fra1", "ams1"])
        assert set(stock) == {(product.id, ""), (product.id, "fra1")}
        unasked = replace(rules, chosen={"MINECRAFT_VERSION": "nothing"})
        with pytest.raises(Invalid, match=r"chosen\.MINECRAFT_VERSION|option group"):
            await change_game_rules(tx, product.id, unasked, offers={}, **REASON)


async def test_the_examples_of_the_docs_are_imported(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        await a_panel(tx, vault)
        for name in ("game-servers", "custom-services"):
            provider = msgspec.json.decode(
                (EXAMPLES / f"{name}.json").read_bytes(), type=ProviderFile
            )
            await register_provider(tx, vault, provider)
        rows = await tx.fetch(
            "SELECT c.slug, f.slug AS flow FROM category c LEFT JOIN flow_binding b "
            "ON b.category = c.id AND b.trigger = 'order.paid' LEFT JOIN flow f ON f.id = b.flow "
            "ORDER BY 1"
        )
        store = await find_product(tx, "s3-1tb")
        assert (await stock_of_products(tx))[store.id] == 200
    assert [tuple(row) for row in rows] == [("games", "game-pterodactyl"), ("stores", None)]


async def test_the_catalogue_keeps_kinds_apart(database: Database, vault: Vault) -> None:
    async def refused(*products: object, slug: str = "games") -> dict[str, str]:
        category = CategorySeed(slug=slug, name="G", products=products)  # type: ignore[arg-type]
        with pytest.raises(Invalid) as raised:
            async with database.transaction() as tx:
                await register_catalog(tx, CatalogSeed(categories=(category,)))
        return raised.value.fields

    assert "add it under Connections" in (await refused(GAME))["places.0.connection"]
    both = replace(GAME, custom_rules=CustomRules())
    assert "one kind" in (await refused(both))["game_rules"]
    assert (
        "option group"
        in (await refused(replace(GAME, groups=())))["game_rules.chosen.MINECRAFT_VERSION"]
    )
    async with database.transaction() as tx:
        await a_game_shop(tx, vault)
        await a_game_order(tx, await a_client(tx))
    assert "of game servers" in (await refused(SERVER))["category"]
    as_server = replace(SERVER, slug="mc-2")
    assert "ordered with game servers" in (await refused(as_server))["game_rules"]
    as_machine = replace(MACHINE, slug="mc-2")
    assert "new name" in (await refused(as_machine))["machine_rules"]
