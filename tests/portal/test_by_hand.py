"""A virtual server that its client installs from an ISO, on the portal's pages in a browser."""

import pytest
from msgspec.structs import replace

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from tests.chromium import Contexts
from tests.drivers.hypervisor.pve import ISO
from tests.machines.books import a_machine_of
from tests.machines.world import RULES, a_machine_shop, set_rules
from tests.portal.conftest import Site
from tests.portal.test_browser import check, open_browser, sign_in


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_its_client_takes_the_iso_out(
    site: Site, contexts: Contexts, database: Database, vault: Vault, ada: AccountView,
    size: str, theme: str,
) -> None:  # fmt: skip
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)
        await set_rules(tx, replace(RULES, templates=RULES.templates | {"debian-12": ISO}))
        service = await a_machine_of(tx, ada.id, 101, template=ISO)
    page = await open_browser(contexts, size, theme)
    await sign_in(page, site)
    for path in ("/products/vm-1", f"/services/{service}"):
        await page.goto(site.url(path))
        await check(page)
    await page.get_by_role("button", name="Take the ISO out").click()
    dialog = page.get_by_role("dialog")
    await dialog.get_by_text("Do it once its system is installed").wait_for()
    await check(page)
    await dialog.get_by_role("button", name="Take the ISO out").click()
    await page.get_by_text("The ISO is being taken out").wait_for()
