"""What only a browser can tell of the editor's looks: policy, width, accessibility."""

import os
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from app.flows.drafts.publish import publish_draft
from app.flows.gallery import find_template
from tests.axe import violations
from tests.chromium import SPILL
from tests.designer.conftest import Easel, Hang
from tests.designer.desk import ADA, GRACE

PICTURES = os.environ.get("SLIPWAY_PICTURES", "")
"""A folder: what the tests look at is kept there as pictures."""


async def look(page: Page, name: str) -> None:
    if PICTURES:
        await page.wait_for_timeout(400)
        await page.screenshot(path=str(Path(PICTURES) / f"{name}.png"))
    assert await violations(page) == []
    assert await page.evaluate("broken") == []
    assert await page.evaluate(SPILL) == 0


async def furnished(easel: Easel) -> None:
    """A draft in the middle of work: notes, comments, a pin, something to mend."""
    desk = easel.desk
    async with desk.database.transaction() as tx:
        await publish_draft(tx, desk.draft, rev=0, note="first", by=ADA)
    await desk.give("add_note", x=300, y=-100, text="Five tries are enough: ask Grace before more.")
    await desk.give("comment", GRACE, node="install", text="Is five minutes enough for AlmaLinux?")
    await desk.give("set_pin", node="server", text='{"server": "fra1-a1-01", "rack": "a1"}')
    await desk.give("set_param", node="mail", param="template", value="service-ready")
    await desk.give("delete", nodes=["aside"])
    await desk.give("add_node", type="action.update_service", behind="install", port="error")


@pytest.mark.parametrize(
    ("size", "theme"),
    [("desk", "light"), ("desk", "dark"), ("tablet", "light"), ("phone", "dark")],
)
async def test_each_state_of_the_editor_is_accessible_within_policy_and_width(
    hang: Hang, size: str, theme: str
) -> None:
    easel = await hang(find_template("dedicated-server"), size=size, theme=theme)
    page = easel.page
    await furnished(easel)
    await easel.open()
    await look(page, f"canvas-{size}-{theme}")
    await easel.focus()
    await page.keyboard.press("o")
    await page.locator("#o-install button").click()
    await page.locator('#panel[data-panel="install"]').wait_for()
    await expect(page.locator("#panel")).to_be_in_viewport()
    await look(page, f"form-{size}-{theme}")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Changes").click()
    await page.get_by_role("region", name="Changes").wait_for()
    await look(page, f"changes-{size}-{theme}")
    await page.locator('[data-do="close-diff"]').click()
    await easel.focus()
    await page.keyboard.press("?")
    await page.get_by_role("dialog", name="Keys").wait_for()
    await look(page, f"keys-{size}-{theme}")
    await page.keyboard.press("Escape")
    await page.keyboard.press("/")
    await page.keyboard.type("mail")
    await look(page, f"palette-{size}-{theme}")
    await page.keyboard.press("Escape")
    await page.get_by_role("button", name="Publish…").click()
    await page.locator("#sheet[open]").wait_for()
    await look(page, f"publish-{size}-{theme}")


LIES_OUTSIDE = """() => {
    const paper = document.getElementById('canvas').getBoundingClientRect();
    return [...document.querySelectorAll('#canvas [id^="n-"]')].filter(node => {
        const box = node.getBoundingClientRect();
        return box.left < paper.left || box.right > paper.right
            || box.top < paper.top || box.bottom > paper.bottom;
    }).map(node => node.id);
}"""


async def test_on_a_phone_a_flow_opens_at_its_start_and_large_enough_to_read(hang: Hang) -> None:
    easel = await hang(find_template("dedicated-server"), size="phone", theme="light", touch=True)
    zoom = easel.page.locator("#zoom")
    await expect(zoom).to_have_text("75 %")
    outside = await easel.page.evaluate(LIES_OUTSIDE)
    assert "n-paid" not in outside
    assert len(outside) > 5
    await look(easel.page, "opened-phone-light")
    await easel.page.get_by_role("button", name="Show the whole flow").tap()
    await expect(zoom).not_to_have_text("75 %")
    assert await easel.page.evaluate(LIES_OUTSIDE) == []
    await look(easel.page, "fitted-phone-light")


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_where_designers_begin(hang: Hang, size: str, theme: str) -> None:
    easel = await hang(find_template("dedicated-server"), size=size, theme=theme)
    await easel.page.goto(f"{easel.address}/designer")
    await look(easel.page, f"home-{size}-{theme}")
    await easel.page.goto(f"{easel.address}/designer/new?template=dedicated-server")
    await look(easel.page, f"new-{size}-{theme}")


async def test_a_conflict_is_readable(hang: Hang) -> None:
    ada = await hang(find_template("dedicated-server"))
    await ada.deafen()
    await ada.desk.give("rename", GRACE, node="paid", name="A client has paid")
    await ada.node("paid").locator(".fl-head").click()
    await ada.page.locator('#panel[data-panel="paid"] #node-name').fill("Money is there")
    await ada.page.get_by_role("dialog", name="Someone was faster").wait_for()
    await look(ada.page, "conflict-desk-light")
