"""Burn-ins on the admin's pages in a browser."""

import pytest

from app.domain.inventory.burn_in import burn_ins_of
from tests.admin.stage import Stage
from tests.admin.test_burn_in import servers_of
from tests.admin.test_dcim_look import look
from tests.admin.test_looks import address, enter
from tests.chromium import Contexts

__all__ = ["address"]  # a fixture

PARTS = """[
{"part": "cpu", "tool": "stress-ng --cpu", "figures": ["12 workers for 8 h"], "faults": [], "words": ""},
{"part": "memory", "tool": "stress-ng --vm", "figures": ["2 errors that were corrected"], "faults": [],
 "words": ""},
{"part": "nvme0n1", "tool": "dd, smartctl", "figures": ["960 GB read at 3.0 GB/s", "41 °C"],
 "faults": ["it has 3 sectors that cannot be read"], "words": "dd: error reading: Input/output error"},
{"part": "network", "tool": "", "figures": ["eno1 at 10 Gbit/s"], "faults": [], "words": ""}]"""


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_servers_are_chosen_and_one_is_followed_and_stopped(
    stage: Stage, contexts: Contexts, address: str, size: str, theme: str
) -> None:
    (server, other) = await servers_of(stage)
    here = f"/admin/servers/{server}"
    page = await enter(stage, contexts, address, size=size, theme=theme)
    await page.goto(f"{address}/admin/servers?view=available")
    before = page.url
    await page.get_by_role("button", name="Burn them in").click()
    await page.get_by_role("status").get_by_text("Choose one server or more first.").wait_for()
    assert page.url == before, "what was filtered stays"
    for chosen in (server, other):
        await page.locator(f'input[name="server"][value="{chosen}"]').check()
    await page.get_by_role("button", name="Burn them in").click()
    await page.get_by_label("For how long").select_option("480")
    await page.get_by_label("Reason").fill("a new rack")
    await page.get_by_role("button", name="Burn them in").click()
    await page.get_by_text("2 servers are burned in").wait_for()
    async with stage.database.transaction() as tx:
        (burning,) = await burn_ins_of(tx, server)
        await tx.execute(
            "UPDATE burn_in SET loaded_at = $2, celsius = 61, hottest_celsius = 73, "
            "parts = $3::jsonb WHERE id = $1",
            burning.id,
            tx.now(),
            PARTS,
        )
    pages = {
        "burn-in-server": here,
        "burn-in-ask": f"/admin/servers/many/burn-in?server={other}&server={server}",
        "burn-in-stop": f"{here}/burn-in/stop",
    }
    assert await look(page, address, pages) == {}
    await page.get_by_label("Reason").fill("it is needed")
    await page.get_by_role("button", name="Stop the burn-in").click()
    await page.get_by_text("The burn-in is stopped").wait_for()
