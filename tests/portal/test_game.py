"""A game server in the portal: ordered by its form, and its page without what it has not."""

import pytest

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from app.domain.orders.find import orders_of
from tests.chromium import Contexts
from tests.games.delivered import PANEL_URL, delivered
from tests.games.world import a_game_order, a_game_shop
from tests.portal.conftest import Site
from tests.portal.test_browser import check, open_browser, sign_in
from tests.portal.test_order_form import key_of
from tests.portal.world import FORM
from tests.security.browser import Browser

ADDRESS = "fra1.play.example.net:25565"


async def test_it_is_ordered_paid_and_shown(
    client: Browser, database: Database, vault: Vault, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        await a_game_shop(tx, vault)
    page = (await client.get("/products/mc-2")).text
    assert "31 available" in page
    values = {
        **FORM, "idempotency_key": key_of(page), "hostname": "mc.example.org", "version": "1.21.4",
    }  # fmt: skip
    sent = await client.send_form("/products/mc-2", "/products/mc-2/order", values)
    assert sent.status_code == 303, sent.text
    async with database.transaction() as tx:
        (order,) = (await orders_of(tx, ada.id)).items
        service, owner = await delivered(tx, vault, order)
    page = (await client.get(f"/services/{service}")).text
    for words in (
        ADDRESS,
        "MC 2 with Paper",
        "2 GB memory, 10 GB disk, 200 % CPU",
        PANEL_URL,
        "ada-1a2b3c4d",
        "Show the password",
        "power-kill",
        f"/services/{service}/usage",
    ):
        assert words in page, words
    for words in ("ssh ", "Reverse DNS", "System", owner.password.reveal()):
        assert words not in page, words
    shown = await client.send_form(
        f"/services/{service}", f"/services/{service}/credentials/reveal", {}
    )
    assert owner.password.reveal() in shown.text
    assert ADDRESS in (await client.get("/services")).text
    usage = await client.get(f"/services/{service}/usage")
    assert (usage.status_code, "Nothing measured in this time" in usage.text) == (200, True)


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_its_pages_hold_on_every_screen(
    site: Site, contexts: Contexts, database: Database, vault: Vault, ada: AccountView,
    size: str, theme: str,
) -> None:  # fmt: skip
    async with database.transaction() as tx:
        await a_game_shop(tx, vault)
        service, _ = await delivered(tx, vault, await a_game_order(tx, ada.id))
    page = await open_browser(contexts, size, theme)
    await sign_in(page, site)
    for path in (f"/services/{service}", "/products/mc-2"):
        await page.goto(site.url(path))
        await check(page)
