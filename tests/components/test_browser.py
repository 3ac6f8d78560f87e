"""What only a browser can tell: the policy holds, nothing spills, it can be used by everyone."""

from typing import Any

import pytest
from playwright.async_api import Page

from tests.axe import violations
from tests.chromium import WATCH, Contexts
from tests.components.gallery import PAGES
from tests.components.site import Site

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


async def open_page(contexts: Contexts, url: str, size: str = "desk", **more: Any) -> Page:
    width, height = SIZES[size]
    context = await contexts(
        viewport={"width": width, "height": height}, reduced_motion="reduce", **more
    )
    page = await context.new_page()
    await page.add_init_script(WATCH)
    await page.goto(url)
    return page


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
async def test_page_is_accessible_within_the_policy_and_the_width(
    contexts: Contexts, site: Site, name: str, theme: str, size: str
) -> None:
    page = await open_page(contexts, site.url(f"/gallery/{name}/{theme}"), size)
    if await page.locator("[data-chart]").count():
        await page.locator(".uplot canvas").first.wait_for()
    spill = await page.evaluate("document.documentElement.scrollWidth - innerWidth")
    broken = await page.evaluate("broken")
    assert await violations(page) == []
    assert broken == []
    assert spill <= 0


@pytest.mark.parametrize("brand", ["Slipway", "Slipway Hosting", "Harbour and Daughters Hosting"])
async def test_the_side_shows_its_tag_beside_any_name(
    contexts: Contexts, site: Site, brand: str
) -> None:
    page = await open_page(contexts, site.url("/gallery/admin/light"))
    name = page.locator(".sw-side .sw-brand-name")
    await name.evaluate("(it, brand) => { it.textContent = brand }", brand)
    tag = await page.locator(".sw-side-tag").evaluate(
        "it => ({cut: it.scrollWidth - it.clientWidth, end: it.getBoundingClientRect().right"
        " - it.closest('.sw-side-inner').getBoundingClientRect().right})"
    )
    assert tag["cut"] <= 0
    assert tag["end"] <= -8


@pytest.mark.parametrize("size", SIZES)
async def test_the_foot_of_a_card_ends_where_the_card_does(
    contexts: Contexts, site: Site, size: str
) -> None:
    page = await open_page(contexts, site.url("/gallery/portal/light"), size)
    gaps = await page.evaluate(
        """() => {
            const card = document.querySelector("main .card");
            const foot = document.createElement("div");
            foot.className = "card-footer";
            foot.textContent = "Foot";
            card.append(foot);
            const outer = card.getBoundingClientRect(), inner = foot.getBoundingClientRect();
            const radius = (it) => parseFloat(getComputedStyle(it).borderBottomLeftRadius);
            return [inner.left - outer.left, outer.right - inner.right, outer.bottom - inner.bottom,
                    radius(card) - radius(foot)];
        }"""
    )
    assert gaps == [1, 1, 1, 1]  # the card's border


async def test_a_chosen_radio_has_one_centre(contexts: Contexts, site: Site) -> None:
    page = await open_page(contexts, site.url("/gallery/portal/dark"))
    drawn = await page.locator("input[type=radio]:checked").first.evaluate(
        "it => getComputedStyle(it, '::before').content"
    )
    assert drawn == "none"


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
