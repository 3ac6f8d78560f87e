"""What only a browser can tell: the policy holds, nothing spills, it can be used by everyone."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page

from app.cli.assets import MODULES
from tests.components.gallery import PAGES
from tests.components.site import Contexts, Site

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


@pytest.fixture(scope="module")
def axe() -> str:
    return (Path(MODULES) / "axe-core/axe.min.js").read_text()


async def open_page(contexts: Contexts, url: str, size: str = "desk", **more: Any) -> Page:
    width, height = SIZES[size]
    context = await contexts(
        viewport={"width": width, "height": height}, reduced_motion="reduce", **more
    )
    page = await context.new_page()
    await page.add_init_script(
        "window.broken = []; addEventListener('securitypolicyviolation',"
        " e => broken.push(`${e.violatedDirective} ${e.blockedURI}`));"
        "addEventListener('error', e => broken.push(e.message));"
    )
    await page.goto(url)
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
async def test_page_is_accessible_within_the_policy_and_the_width(
    contexts: Contexts, site: Site, axe: str, name: str, theme: str, size: str
) -> None:
    page = await open_page(contexts, site.url(f"/gallery/{name}/{theme}"), size)
    if await page.locator("[data-chart]").count():
        await page.locator(".uplot canvas").first.wait_for()
    await page.evaluate(axe)
    found = await page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    serious = [
        (
            one["id"],
            [node["target"] for node in one["nodes"]][:4],
            one["nodes"][0]["failureSummary"],
        )
        for one in found["violations"]
        if one["impact"] in {"serious", "critical", "moderate"}
    ]
    spill = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    broken = await page.evaluate("broken")
    assert serious == []
    assert broken == []
    assert spill <= 0


async def test_theme_follows_the_system_then_the_choice_and_is_remembered(
    contexts: Contexts, site: Site
) -> None:
    page = await open_page(contexts, site.url("/gallery/shop/auto"), color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = await page.evaluate(background)
    await page.get_by_role("button", name="Theme: system").click()
    assert await page.evaluate(background) != dark
    await page.get_by_role("button", name="Theme: light").click()
    assert await page.evaluate(background) == dark
    cookies = {one["name"]: one["value"] for one in await page.context.cookies()}
    assert cookies["slipway_theme"] == "dark"


async def test_a_form_is_sent_once_however_often_it_is_clicked(
    contexts: Contexts, site: Site
) -> None:
    site.reset()
    page = await open_page(contexts, site.url("/form"))
    button = page.get_by_role("button", name="Send")
    reads = await button.evaluate("b => { b.click(); b.click(); b.click(); return b.innerText; }")
    assert reads.strip() == "Sending…"
    await page.get_by_text("received").wait_for()
    assert site.posts == 1


async def test_small_behaviours_work_by_keyboard(contexts: Contexts, site: Site) -> None:
    page = await open_page(contexts, site.url("/gallery/portal/light"))
    more = page.get_by_role("button", name="More: Extra IPv4 addresses").first
    await more.focus()
    await page.keyboard.press("Enter")
    assert await page.locator("#ips").input_value() == "3"
    await page.locator("#password").fill("secret words")
    await page.get_by_role("button", name="Show password").first.press("Enter")
    assert await page.locator("#password").get_attribute("type") == "text"
    await page.get_by_role("button", name="Cancel order").press("Enter")
    dialog = page.get_by_role("dialog", name="Cancel this order?")
    assert await dialog.is_visible()
    await dialog.get_by_label("Type CANCEL to confirm").fill("no")
    await page.keyboard.press("Enter")
    assert await dialog.is_visible()
    await page.keyboard.press("Escape")
    assert not await dialog.is_visible()


async def test_counters_run_and_a_hold_expires(contexts: Contexts, site: Site) -> None:
    context = await contexts()
    page = await context.new_page()
    await page.clock.install()
    await page.goto(site.url("/gallery/portal/light"))
    await page.clock.run_for(3_000)
    assert await page.locator(".card-actions .sw-duration").inner_text() == "1 min 39 s"
    assert await page.locator(".sw-countdown").inner_text() == "14:29"
    await page.clock.run_for(870_000)
    assert await page.locator(".sw-countdown").inner_text() == "expired"
