"""The game rules of a product: offered what panels have, changed, and shown where it is sold."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.core.errors import Invalid
from app.domain.catalog.find import find_product
from app.drivers.errors import Unreachable
from app.drivers.game.contract import Egg, GameOffers, GamePeer, Location, Variable
from app.drivers.peers import Peers
from app.routes.admin.games_typed import game_rules_of, values_of
from tests.admin.stage import Stage
from tests.games.world import RULES, a_game_shop, a_panel
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

HERE = "/admin/stock/products/mc-2/games"
PAPER = Egg(
    code="Minecraft/Paper",
    label="Paper (Minecraft)",
    images=("java_21",),
    variables=tuple(
        Variable(code=code, label=code, default="", rules="string")
        for code in ("MINECRAFT_VERSION", "SERVER_JARFILE")
    ),
)
OFFERS = GameOffers(
    locations=(Location("fra", "Frankfurt"), Location("ams", "Amsterdam")),
    nodes=("fra1",),
    eggs=(PAPER,),
)
FULL = replace(
    RULES,
    image="java_17",
    limits=replace(RULES.limits, swap_mb=-1, io_weight=700, ports=1),
    places=(replace(RULES.places[0], locations=("fra", "ams"), datacentre="fra1"), RULES.places[0]),
)


@pytest.fixture(autouse=True)
def panels(monkeypatch: pytest.MonkeyPatch) -> None:
    """`play` says what it has; any other panel does not answer."""

    def game(_: Peers, peer: GamePeer) -> Any:
        class Panel:
            async def offers(self) -> GameOffers:
                if peer.name != "play":
                    raise Unreachable(peer.name, "no route to it")
                return OFFERS

        return Panel()

    monkeypatch.setattr(Peers, "game", game)


def test_rules_are_typed_as_they_are_told() -> None:
    assert game_rules_of(values_of(FULL) | {"reason": "why"}) == (FULL, "why")
    assert values_of(None) == {}
    with pytest.raises(Invalid) as refused:
        game_rules_of({"memory_mb": "1", "swap_mb": "-2", "variables": "a=b", "chosen": "A="})
    assert set(refused.value.fields) == {
        "reason", "egg", "memory_mb", "disk_mb", "cpu_percent", "swap_mb", "variables", "chosen",
        "places.0.connection",
    }  # fmt: skip


async def test_they_are_changed_by_what_the_panels_have(stage: Stage, owner: Browser) -> None:
    async with stage.database.transaction() as tx:
        await a_game_shop(tx, stage.vault)
        await a_panel(tx, stage.vault, name="away")
    page = (await owner.get(HERE)).text
    assert "away cannot be asked what it has" in page
    assert '<option value="Minecraft/Paper" selected>Paper (Minecraft)</option>' in page
    assert "Known: MINECRAFT_VERSION, SERVER_JARFILE." in page
    assert "The product’s groups: version." in page
    typed = values_of(FULL) | {"reason": "more room"}
    wrong = {"egg": "Minecraft/Forge", "places.1.locations": "mars", "chosen": "A_B=nothing"}
    refused = await owner.send_form(HERE, HERE, typed | wrong)
    assert (refused.status_code, errors_of(refused.text)) == (
        422,
        {
            "egg": "play has no Minecraft/Forge.",
            "places.1.locations": "play has no location mars.",
            "chosen": "The product has no option group nothing, which should answer A_B.",
        },
    )
    assert "Minecraft/Forge (not there now)" in refused.text
    saved = await owner.send_form(HERE, HERE, typed | {"places.1.connection": "away"})
    assert saved.status_code == 303
    shown = (await owner.get(saved.headers["location"])).text
    assert "Saved. away could not be asked whether it has all that." in shown
    assert "locations fra, ams; for fra1" in shown
    assert "Game servers; its panels have room for" in shown
    assert "IPv4 addresses of its role" not in shown
    async with stage.database.snapshot() as tx:
        rules = (await find_product(tx, "mc-2")).game_rules
        reason = await tx.fetchval("SELECT reason FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert rules is not None
    assert ([place.connection for place in rules.places], reason) == (["play", "away"], "more room")
