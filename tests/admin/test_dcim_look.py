"""What only a browser can tell of the datacentre's pages: looks, dragging, keys."""

from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.admin.hall import a_hall
from tests.admin.stage import Stage
from tests.admin.test_address_pages_look import CLEAN
from tests.admin.test_looks import address, enter, faults_of
from tests.chromium import Contexts
from tests.devices.cabled import reach

__all__ = ["address"]  # a fixture

SHOTS: Any = None


async def look(page: Page, address: str, pages: dict[str, str]) -> dict[str, Any]:
    faults = {}
    for name, path in pages.items():
        await page.goto(address + path)
        if (found := await faults_of(page)) != CLEAN:
            faults[name] = found
        if SHOTS:
            await page.screenshot(path=f"{SHOTS}-{name}.png", full_page=True)
    return faults


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_every_page_is_accessible_within_the_policy_and_the_width(
    stage: Stage, contexts: Contexts, address: str, size: str, theme: str
) -> None:
    await stage.delivered(host="shop.example.org")
    ids = await a_hall(stage)
    async with stage.database.transaction() as tx:
        change = await reach(tx, stage.vault, ids["switch"])
    page = await enter(stage, contexts, address, size=size, theme=theme)
    switch = f"/admin/devices/{ids['switch']}"
    server, rack = f"/admin/servers/{ids['server']}", f"/admin/racks/{ids['rack']}"
    pages = {
        "racks": "/admin/racks",
        "rack": rack,
        "rack-client": f"{rack}?colour=client",
        "rack-power": f"{rack}?colour=power",
        "rack-change": f"{rack}/change",
        "rack-new": "/admin/racks/new?datacentre=ams1",
        "labels": f"{rack}/labels",
        "device": switch,
        "access": f"{switch}/access",
        "switch": f"{switch}/switch",
        "switch-port": f"{switch}/switch/change",
        "switch-change": f"{switch}/switch/changes/{change}",
        "device-new": f"/admin/devices/new?rack={ids['rack']}",
        "device-remove": f"/admin/devices/{ids['switch']}/remove",
        "cables": "/admin/cables",
        "unplug": f"/admin/cables/{ids['cable']}/unplug",
        "cpus": "/admin/cpu-models",
        "server": server,
        "server-change": f"{server}/change",
        "server-ports": f"{server}/ports",
        "place": f"{server}/place?rack={ids['rack']}&u=12",
        "place-refused": f"{server}/place?rack={ids['rack']}&u=16",
        "discovery": f"{server}/discovery",
        "servers": "/admin/servers",
        "many": f"/admin/servers/many?server={ids['server']}&server={ids['other']}",
        "import": "/admin/servers/import",
        "delivery": "/admin/delivery",
        "moves": "/admin/moves",
    }
    assert await look(page, address, pages) == {}


async def test_the_tab_that_is_shown_is_in_sight(
    stage: Stage, contexts: Contexts, address: str
) -> None:
    page = await enter(stage, contexts, address, size="phone", theme="light")
    await page.goto(f"{address}/admin/servers?view=silent")
    tab = page.get_by_role("link", name="BMC silent")
    await expect(tab).to_be_in_viewport(ratio=0.9)
    await page.goto(f"{address}/admin/servers")
    assert await tab.count() == 0, "none is silent"


async def test_a_server_is_dragged_to_another_unit_and_moved_by_keys(
    stage: Stage, contexts: Contexts, address: str
) -> None:
    ids = await a_hall(stage)
    page = await enter(stage, contexts, address, size="desk", theme="light")
    rack = f"{address}/admin/racks/{ids['rack']}"
    await page.goto(rack)
    front = page.locator("[data-face=front]")
    server = front.locator(f"[data-machine='{ids['server']}']")
    await server.drag_to(front.locator("[data-unit='5']"))
    await page.get_by_text("It cannot stand in rack C1, unit 5").wait_for()
    await page.get_by_text("ams1-a1-02 stands there.").wait_for()
    await page.goto(rack)
    await server.drag_to(front.locator("[data-unit='12']"))
    await page.get_by_text("It may stand in rack C1, unit 12").wait_for()
    assert await page.locator(".is-proposed").count() == 2
    await page.get_by_role("button", name="It stands there now").click()
    await page.get_by_text("ams1-a1-01 stands at unit 12 now.").wait_for()
    # The same without a mouse, from the server's page.
    await page.goto(f"{address}/admin/servers/{ids['server']}")
    await page.get_by_role("link", name="Move", exact=True).focus()
    await page.keyboard.press("Enter")
    unit = page.get_by_label("Lowest unit")
    await unit.fill("2")
    await unit.press("Enter")
    await page.get_by_text("It may stand in rack C1, unit 2").wait_for()
    await page.get_by_role("button", name="Plan it as a task").focus()
    await page.keyboard.press("Enter")
    await page.get_by_text("ams1-a1-01 is to be moved.").wait_for()
    assert await faults_of(page) == CLEAN
    # Its label on paper: the page's frame is gone, and the sheet has its measure.
    await page.goto(f"{rack}/labels")
    await page.emulate_media(media="print")
    assert not await page.locator(".sw-side").is_visible()
    box = await page.locator(".sw-labels li").first.bounding_box()
    assert box is not None
    assert (round(box["width"] * 25.4 / 96), round(box["height"] * 25.4 / 96)) == (70, 37)
