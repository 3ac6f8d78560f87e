"""A run followed over its flow in the browser, from its trigger to its end, and back."""

import re
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from app.core.database import Database
from app.core.live import Live
from app.domain.accounts.roles import Role
from app.flows import registry
from app.flows.drafts.find import find_draft
from app.flows.publish import publish
from app.flows.start import start_flow
from app.routes.security.visit import SESSION_COOKIE
from tests.axe import violations
from tests.chromium import WATCH, Contexts, until
from tests.designer.conftest import session_of
from tests.flows.conftest import Workshop
from tests.flows.histories.acting import acting
from tests.flows.histories.record import PLACES


@pytest.fixture
async def workshop(
    database: Database, redis: Any, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Workshop]:
    monkeypatch.setattr(registry, "node_types", lambda: acting({}))
    workshop = Workshop(database, database.clock, Live(redis))
    yield workshop
    await workshop.close()


async def begin(workshop: Workshop, place: str = "in a loop") -> UUID:
    document = PLACES[place][0]
    async with workshop.database.transaction() as tx:
        await publish(tx, document, note="test")
        return await start_flow(tx, document.flow, data={}, dedup_key=place)


async def window(
    contexts: Contexts, database: Database, address: str, run: UUID, *,
    size: tuple[int, int] = (1440, 900), theme: str = "light", touch: bool = False,
    role: Role = Role.DESIGNER,
) -> Page:  # fmt: skip
    context = await contexts(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme,
        reduced_motion="reduce", has_touch=touch,
    )  # fmt: skip
    token = await session_of(database, role, f"ada{size[0]}{theme}")
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
    page = await context.new_page()
    await page.add_init_script(WATCH)
    await page.goto(f"{address}/designer/runs/{run}")
    await page.locator("#canvas[data-ready]").wait_for()
    return page


async def overlap(page: Page, one: str, other: str) -> float:
    """Return the area, in square pixels, in which two elements lie over each other."""
    a, b = await page.locator(one).bounding_box(), await page.locator(other).bounding_box()
    assert a is not None
    assert b is not None
    wide = min(a["x"] + a["width"], b["x"] + b["width"]) - max(a["x"], b["x"])
    high = min(a["y"] + a["height"], b["y"] + b["height"]) - max(a["y"], b["y"])
    return max(wide, 0) * max(high, 0)


async def test_a_run_is_followed_live_and_stepped_through(
    contexts: Contexts, database: Database, address: str, workshop: Workshop
) -> None:
    run = await begin(workshop)
    page = await window(contexts, database, address, run)

    def sign(node: str) -> Any:
        return page.locator(f"#n-{node} .fl-state")

    await expect(sign("record")).to_have_count(0)
    await expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    await workshop.drive()
    await expect(sign("begin")).to_contain_text("Done")
    await expect(sign("pause")).to_contain_text("Waiting")
    await expect(page.locator("#voice")).to_contain_text("waits")
    for _ in range(4):
        workshop.clock.advance(seconds=3_700)
        await workshop.drive()
    await expect(sign("tell")).to_contain_text("Done")
    await expect(sign("record")).to_contain_text("3 of 3")
    await expect(page.locator("#run-now")).to_contain_text("Succeeded")
    assert await page.locator(".fl-edge.is-taken").count() == 4

    # Its rounds, by keyboard from the canvas: the first node, and along the edges.
    await page.locator("#canvas").focus()
    for key in ("ArrowRight", "ArrowRight", "ArrowRight"):
        await page.keyboard.press(key)
    await expect(page.locator("#n-record")).to_have_class(re.compile(r"\bis-chosen\b"))
    panel = page.locator("#panel")
    await expect(panel.locator("h2")).to_have_text("DNS record")
    await expect(panel.locator(".fl-round-pick")).to_have_count(3)
    await panel.locator(".fl-round-pick").nth(2).click()
    await expect(panel.locator(".fl-round-pick").nth(2)).to_have_attribute("aria-current", "true")
    await panel.locator("summary").first.click()
    await expect(panel.locator(".sw-code").first).to_contain_text("a.example.org")
    assert await violations(page) == []

    # The minimap is pressed: the flow is moved, and what was selected stays so.
    box = "document.getElementById('n-record').getBoundingClientRect().x"
    at = await page.evaluate(box)
    map_box = await page.locator("#minimap").bounding_box()
    assert map_box is not None
    await page.mouse.click(map_box["x"] + 20, map_box["y"] + 54)
    await until(page, f"x => {box} !== x", arg=at)
    await expect(page.locator("#n-record")).to_have_class(re.compile(r"\bis-chosen\b"))

    # Back to the first event, one on, and to the end again.
    await page.locator("#canvas").focus()
    await page.keyboard.press("Home")
    await expect(page.locator("#run-now")).to_contain_text("In the past")
    await expect(sign("record")).to_have_count(0)
    await page.keyboard.press(".")
    await expect(page.locator("#run-now")).to_contain_text("Event 2 of")
    await page.keyboard.press("End")
    await expect(sign("tell")).to_contain_text("Done")
    await page.emulate_media(color_scheme="dark")
    assert await violations(page) == []

    # Taken into a draft, with its data.
    await page.get_by_role("button", name="Debug in the editor").click()
    await page.wait_for_url("**/designer/drafts/*")
    await expect(page.locator("#flashes")).to_contain_text("is pinned as sample data")
    async with database.snapshot() as tx:
        view = await find_draft(tx, UUID(page.url.rsplit("/", 1)[1]))
    assert {"begin", "record", "each", "pause", "tell"} <= view.sheet.pins.keys()
    assert await page.evaluate("broken") == []


async def test_on_a_phone_by_touch_and_for_who_may_only_read(
    contexts: Contexts, database: Database, address: str, workshop: Workshop
) -> None:
    run = await begin(workshop, "in a branch")
    await workshop.drive()
    page = await window(
        contexts, database, address, run, size=(390, 844), theme="dark", touch=True,
        role=Role.OPERATOR,
    )  # fmt: skip
    await expect(page.locator("#n-ask .fl-state")).to_contain_text("Waiting")
    assert await overlap(page, "#run-now", "#canvas") == 0
    await page.locator('[data-do="back"]').tap()
    await expect(page.locator("#run-now")).to_contain_text("In the past")
    await page.locator("#follow").tap()
    await expect(page.locator("#run-now")).not_to_contain_text("In the past")
    await page.locator('[data-do="fit"]').tap()
    await page.locator("#n-left").tap()
    await expect(page.locator("#panel h2")).to_have_text("DNS record")
    assert await violations(page) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    for width in (768, 1024):
        await page.set_viewport_size({"width": width, "height": 768})
        assert await overlap(page, ".fl-story", "#panel-place") == 0
    answer = await page.request.post(f"{address}/designer/runs/{run}/debug")
    assert answer.status == 403
    for path, status in (("/now?at=x", 404), ("/panel?chosen=gone", 404), ("/now?at=0", 200)):
        assert (await page.request.get(f"{address}/designer/runs/{run}{path}")).status == status


async def test_a_run_is_followed_on_after_the_connection_was_lost(
    contexts: Contexts, database: Database, address: str, workshop: Workshop
) -> None:
    run = await begin(workshop)
    page = await window(contexts, database, address, run)
    await expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
    # No stream, and none of the questions that would be asked instead of it.
    for missed in ("**/live?*", "**/now*"):
        await page.route(missed, lambda route: route.abort())
    await page.reload()
    await page.locator("#canvas[data-ready]").wait_for()
    await expect(page.locator("#live-state")).to_have_attribute("data-state", "reconnecting")
    await workshop.drive()
    await expect(page.locator("#n-begin .fl-state")).to_have_count(0)
    await page.unroute_all()
    await expect(page.locator("#n-begin .fl-state")).to_contain_text("Done")
    await expect(page.locator("#n-pause .fl-state")).to_contain_text("Waiting")
    await expect(page.locator("#live-state")).to_have_attribute("data-state", "live")
