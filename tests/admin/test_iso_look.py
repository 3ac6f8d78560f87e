"""A system that is an ISO, on the admin's pages in a browser."""

import pytest

from app.domain.catalog.find import find_product
from tests.accounts.people import make_account
from tests.admin.stage import Stage
from tests.admin.test_dcim_look import look
from tests.admin.test_looks import address, enter
from tests.admin.test_machine_rules import HERE, ISO, NEW, providers
from tests.chromium import Contexts
from tests.machines.books import a_machine_of
from tests.machines.world import a_machine_shop

__all__ = ["address", "providers"]  # fixtures


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_it_is_chosen_and_taken_out(
    stage: Stage, contexts: Contexts, address: str, size: str, theme: str
) -> None:
    ada = await make_account(stage.database, "ada@example.org", name="Ada")
    async with stage.database.transaction() as tx:
        await a_machine_shop(tx, stage.vault)
        service = await a_machine_of(tx, ada.id, 101, template=ISO)
    page = await enter(stage, contexts, address, size=size, theme=theme)
    await page.goto(f"{address}{HERE}")
    await page.get_by_label("Template or ISO of Debian 12").select_option(
        label="ISO: debian-13.iso on local"
    )
    await page.get_by_label("Template or ISO of Ubuntu 24.04").select_option("noble")
    await page.get_by_label("Reason").fill("clients bring their own")
    await page.get_by_role("button", name="Save").click()
    await page.get_by_text("The machine rules are changed").wait_for()
    async with stage.database.snapshot() as tx:
        rules = (await find_product(tx, "vm-1")).machine_rules
    assert rules is not None
    assert rules.templates == {"debian-12": ISO, "ubuntu-24.04": "noble"}
    pages = {
        "iso-rules": HERE,
        "iso-new": NEW,
        "iso-stock": "/admin/stock/products/vm-1",
        "iso-service": f"/admin/services/{service}",
    }
    assert await look(page, address, pages) == {}
    await page.get_by_role("button", name="Take the ISO out").click()
    await page.get_by_text("A worker takes the ISO out").wait_for()
