"""What only a browser can tell of the admin pages about game servers."""

import pytest

from tests.accounts.people import make_account
from tests.admin.stage import Stage
from tests.admin.test_dcim_look import look
from tests.admin.test_game_rules import panels
from tests.admin.test_looks import address, enter
from tests.chromium import Contexts
from tests.games.delivered import delivered
from tests.games.world import a_game_order, a_game_shop, a_panel

__all__ = ["address", "panels"]  # fixtures


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_every_page_is_accessible_within_the_policy_and_the_width(
    stage: Stage, contexts: Contexts, address: str, size: str, theme: str
) -> None:
    ada = await make_account(stage.database, "ada@example.org", name="Ada")
    async with stage.database.transaction() as tx:
        await a_game_shop(tx, stage.vault)
        await a_panel(tx, stage.vault, name="away")
        service, _ = await delivered(tx, stage.vault, await a_game_order(tx, ada.id))
    page = await enter(stage, contexts, address, size=size, theme=theme)
    pages = {
        "games-rules": "/admin/stock/products/mc-2/games",
        "games-stock": "/admin/stock/products/mc-2",
        "games-connection": "/admin/connections/new/game",
        "games-new": "/admin/stock/games/new",
        "games-service": f"/admin/services/{service}",
    }
    assert await look(page, address, pages) == {}
    assert await page.get_by_role("link", name="Usage").count() == 1
    assert await page.get_by_role("link", name="Rescue").count() == 0, "that is of servers"
