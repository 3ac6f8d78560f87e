"""A product of game servers is put on sale by hand, as the stand-in of a panel has its game."""

from collections.abc import AsyncIterator

import pytest

from app.domain.catalog.find import find_product
from app.domain.catalog.selection import read_selection
from app.domain.catalog.wants import game_made_of
from app.domain.games.rules import GameLimits
from app.domain.orders.place import OrderRequest, place
from app.drivers.peers import Peers
from app.jobs.look_at_panels import ask_panels
from lab.pterodactyl.web import PanelWeb
from tests.admin.stage import Stage
from tests.admin.test_address_pages_look import CLEAN
from tests.admin.test_looks import address, enter, faults_of
from tests.catalog.shop import FORM
from tests.chromium import Contexts
from tests.drivers.game.panel import panel_on_loopback
from tests.games.world import a_panel
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

__all__ = ["address"]  # a fixture

NEW = "/admin/stock/games/new"
TYPED = {
    "name": "Minecraft M", "slug": "mc-m", "new_category": "Game servers", "price": "6.90",
    "currency": "EUR", "egg": "Minecraft/Paper", "memory_mb": "4096", "disk_mb": "20480",
    "cpu_percent": "200", "backups": "3", "variables.SERVER_JARFILE": "paper.jar",
    "choices.MINECRAFT_VERSION": "1.21.4, 1.20.1", "labels.MINECRAFT_VERSION": "Minecraft Version",
    "places.0.connection": "play", "places.0.locations": "fra", "reason": "clients ask for it",
}  # fmt: skip


@pytest.fixture
async def panel(stage: Stage) -> AsyncIterator[PanelWeb]:
    async with panel_on_loopback() as (panel, peer):
        async with stage.database.transaction() as tx:
            await a_panel(tx, stage.vault, base_url=peer.url)
        yield panel


async def test_a_product_is_put_on_sale(
    stage: Stage, owner: Browser, panel: PanelWeb, peers: Peers
) -> None:
    """Its category, its flows and its questions come with it; the panel is asked once."""
    assert NEW in (await owner.get("/admin/stock")).text
    page = (await owner.get(NEW)).text
    assert '<option value="Source Engine/Counter-Strike 2">' in page
    assert "Known: fra, ams." in page, "the only panel is chosen already"
    asked = len(panel.calls)
    parts = (await owner.get(f"{NEW}/parts?egg=Minecraft/Paper")).text
    assert 'name="choices.MINECRAFT_VERSION"' in parts
    assert "It takes: nullable, string, max:20." in parts
    assert "defaults are taken" in (await owner.get(f"{NEW}/parts?egg=Minecraft/Forge")).text

    empty = await owner.send_form(NEW, NEW, {"currency": "euro"})
    assert empty.status_code == 422
    assert set(errors_of(empty.text)) == {
        "name", "slug", "new_category", "currency", "egg", "memory_mb", "disk_mb", "cpu_percent",
        "places.0.connection", "reason",
    }  # fmt: skip
    for wrong, field, words in (
        ({"places.0.locations": "mars"}, "places.0.locations", "play has no location mars."),
        ({"variables.SERVER_JARFILE": "paper.exe"}, "variables.SERVER_JARFILE", "of the form"),
        ({"choices.MINECRAFT_VERSION": "1.21.4, Latest"}, "choices.MINECRAFT_VERSION", "Small"),
        ({"choices.MINECRAFT_VERSION": "1.2, 1.2"}, "choices.MINECRAFT_VERSION", "the same"),
        ({"choices.MINECRAFT_VERSION": "1" * 21}, "choices.MINECRAFT_VERSION", "at most 20"),
        ({"slug": "metal-s"}, "slug", "There is a product metal-s"),
        ({"new_category": "Dedicated"}, "new_category", "There is a category"),
    ):
        refused = await owner.send_form(NEW, NEW, TYPED | wrong)
        faults = errors_of(refused.text)
        assert (refused.status_code, set(faults)) == (422, {field}), wrong
        assert words in faults[field]
    gone = await owner.send_form(NEW, NEW, TYPED | {"egg": "Minecraft/Forge"})
    assert errors_of(gone.text)["egg"] == "play has no Minecraft/Forge."
    assert "Minecraft/Forge (not there now)" in gone.text
    saved = await owner.send_form(NEW, NEW, TYPED)
    assert saved.headers["location"] == "/admin/stock/products/mc-m"
    assert len(panel.calls) == asked, "what it has is remembered for a while"
    more = {"name": "Minecraft L", "slug": "mc-l", "category": "game-servers"}
    assert (await owner.send_form(NEW, NEW, TYPED | more)).status_code == 303

    _, _, row = (await owner.get("/admin/stock")).text.partition('id="outlook-mc-m"')
    assert "–" in row.partition("</tr>")[0], "it takes none of our addresses"

    await ask_panels(stage.database, stage.vault, peers)
    async with stage.database.transaction() as tx:
        product, other = await find_product(tx, "mc-m"), await find_product(tx, "mc-l")
        flows = await tx.fetch(
            "SELECT f.slug FROM flow_binding b JOIN flow f ON f.id = b.flow "
            "WHERE b.category = $1 ORDER BY 1",
            product.category_id,
        )
        selection = read_selection(product, FORM | {"game_minecraft_version": "1.20.1"})
        request = OrderRequest(
            account=stage.clients[0], product="mc-m", selection=selection, idempotency_key="1"
        )
        order = await place(tx, request)
    assert order.total_minor == 690
    rules = product.game_rules
    assert rules is not None
    assert rules.limits == GameLimits(memory_mb=4_096, disk_mb=20_480, cpu_percent=200, backups=3)
    assert [(group.name, group.is_required) for group in product.groups] == [
        ("Minecraft Version", True)
    ]
    made = game_made_of(rules, rules.places[0], selection)
    assert made.variables == {"SERVER_JARFILE": "paper.jar", "MINECRAFT_VERSION": "1.20.1"}
    assert made.locations == ("fra",)
    assert other.category_id == product.category_id
    assert [row["slug"] for row in flows] == [
        "game-pterodactyl", "game-suspended", "game-terminated", "game-unsuspended",
    ]  # fmt: skip


async def test_variables_follow_the_game_that_is_chosen(
    stage: Stage, contexts: Contexts, address: str, panel: PanelWeb
) -> None:
    page = await enter(stage, contexts, address, size="desk", theme="light")
    await page.goto(address + NEW)
    for name, words in (
        ("name", "CS 2"), ("slug", "cs-2"), ("new_category", "Shooters"), ("price", "9"),
        ("memory_mb", "8192"), ("disk_mb", "40960"), ("cpu_percent", "0"), ("reason", "asked for"),
    ):  # fmt: skip
        await page.locator(f"[name='{name}']").fill(words)
    game = page.locator("[name='egg']")
    await game.select_option("Minecraft/Paper")
    await page.locator("[name='variables.SERVER_JARFILE']").fill("paper.jar")
    await game.select_option("Source Engine/Counter-Strike 2")
    value = page.locator("[name='variables.SRCDS_APPID']")
    await value.fill("731")
    assert await page.locator("[name='variables.SERVER_JARFILE']").count() == 0
    assert await faults_of(page) == CLEAN
    await page.get_by_role("button", name="Sell it").click()
    await page.get_by_text("SRCDS_APPID cannot be “731”. It is one of 730.").first.wait_for()
    await value.fill("")
    await page.locator("[name='choices.SRCDS_APPID']").fill("730")
    await page.get_by_role("button", name="Sell it").click()
    await page.get_by_text("CS 2 is on sale.").wait_for()
    async with stage.database.snapshot() as tx:
        rules = (await find_product(tx, "cs-2")).game_rules
    assert rules is not None
    assert (rules.egg, rules.chosen) == (
        "Source Engine/Counter-Strike 2", {"SRCDS_APPID": "game_srcds_appid"},
    )  # fmt: skip
