"""Two designers on one draft: what each sees of the other, and what happens between them."""

import asyncio
from typing import Any
from urllib.parse import parse_qs

import pytest
from playwright.async_api import Route, expect
from redis.exceptions import ConnectionError as RedisConnectionError

from app.components.designer.people import UNKNOWN
from app.routes.security.visit import SESSION_COOKIE
from tests.designer.conftest import Easel, Hang
from tests.designer.desk import a_chain


async def pair(hang: Hang, length: int = 4) -> tuple[Easel, Easel]:
    ada = await hang(a_chain(length), name="Ada")
    grace = await hang(name="Grace")
    for easel in (ada, grace):
        await easel.page.locator("#live-state[data-state=live]").wait_for()
    return ada, grace


async def test_each_sees_what_the_other_draws(hang: Hang) -> None:
    ada, grace = await pair(hang)
    await ada.node("mail3").locator(".fl-head").click()
    await ada.page.get_by_role("button", name="Update service").click()
    await grace.node("update_service").wait_for()
    await expect(
        grace.page.locator('path[data-from="mail3"][data-to="update_service"]')
    ).to_have_count(1)
    await grace.node("update_service").locator(".fl-head").click()
    await grace.page.keyboard.press("Delete")
    await expect(ada.node("update_service")).to_have_count(0)
    x, y = await ada.middle(ada.node("mail1").locator(".fl-head"))
    await ada.drag((x, y), (x, y + 120))
    place = (await ada.saved()).position("mail1")
    await expect(grace.node("mail1")).to_have_attribute("data-y", str(place[1] if place else 0))
    drawn = await grace.page.evaluate("document.getElementById('n-mail1').style.transform")
    assert drawn == f"translate({place[0]}px, {place[1]}px)" if place else False


async def test_different_fields_of_one_node_are_both_kept(hang: Hang) -> None:
    ada, grace = await pair(hang)
    for easel in (ada, grace):
        await easel.node("mail1").locator(".fl-head").click()
        await easel.page.locator('#panel[data-panel="mail1"]').wait_for()
    await ada.page.locator("#node-name").fill("Welcome")
    await grace.page.locator("#p-template").fill("hello")
    await ada.saved()
    spec = (await grace.saved()).nodes["mail1"]
    assert (spec.name, spec.params) == ("Welcome", {"template": "hello"})
    # The open form of each takes over what the other typed; one's own words stay.
    await expect(ada.page.locator("#p-template")).to_have_value("hello")
    await expect(grace.page.locator("#node-name")).to_have_value("Welcome")
    await expect(grace.page.locator("#p-template")).to_be_focused()


async def test_the_same_field_asks_whose_value_is_to_stay(hang: Hang) -> None:
    ada, grace = await pair(hang)
    await grace.deafen()
    for easel in (ada, grace):
        await easel.node("mail1").locator(".fl-head").click()
        await easel.page.locator('#panel[data-panel="mail1"]').wait_for()
    await ada.page.locator("#p-template").fill("from-ada")
    await ada.saved()
    await grace.page.locator("#p-template").fill("from-grace")
    dialog = grace.page.get_by_role("dialog", name="Someone was faster")
    await expect(dialog).to_contain_text("from-ada")
    await expect(dialog).to_contain_text("from-grace")
    assert (await ada.desk.sheet()).nodes["mail1"].params == {"template": "from-ada"}
    await grace.listen()
    await dialog.get_by_role("button", name="Use mine").click()
    await expect(dialog).to_be_hidden()
    await expect(ada.page.locator("#p-template")).to_have_value("from-grace")
    assert (await grace.saved()).nodes["mail1"].params == {"template": "from-grace"}


async def test_ones_own_answer_brings_what_others_did_before_it(hang: Hang) -> None:
    ada, grace = await pair(hang)
    await grace.deafen()
    await ada.node("mail1").locator(".fl-head").click()
    await ada.page.locator("#node-name").fill("From Ada")
    await ada.saved()
    x, y = await grace.middle(grace.node("mail3").locator(".fl-head"))
    await grace.drag((x, y), (x, y + 100))
    await grace.saved()
    await expect(grace.node("mail1")).to_contain_text("From Ada")


async def test_keeping_theirs_shows_theirs(hang: Hang) -> None:
    ada, grace = await pair(hang)
    await grace.deafen()
    await ada.node("mail1").locator(".fl-head").click()
    await ada.page.locator("#node-name").fill("Ada’s")
    await ada.saved()
    await grace.node("mail1").locator(".fl-head").click()
    await grace.page.locator("#node-name").fill("Grace’s")
    dialog = grace.page.get_by_role("dialog", name="Someone was faster")
    await dialog.get_by_role("button", name="Keep theirs").click()
    await expect(grace.page.locator("#node-name")).to_have_value("Ada’s")
    assert (await grace.saved()).nodes["mail1"].name == "Ada’s"


async def test_a_drag_of_what_another_moved_goes_back_on_theirs(hang: Hang) -> None:
    ada, grace = await pair(hang)
    await grace.deafen()
    x, y = await ada.middle(ada.node("mail1").locator(".fl-head"))
    await ada.drag((x, y), (x + 100, y))
    await ada.saved()
    theirs = (await ada.desk.sheet()).position("mail1")
    x, y = await grace.middle(grace.node("mail1").locator(".fl-head"))
    await grace.drag((x, y), (x, y + 200))
    dialog = grace.page.get_by_role("dialog", name="Someone was faster")
    await grace.listen()
    await dialog.get_by_role("button", name="Keep theirs").click()
    await expect(grace.node("mail1")).to_have_attribute("data-x", str(theirs[0] if theirs else 0))
    assert (await grace.saved()).position("mail1") == theirs


async def test_an_undo_after_the_others_change_is_refused_with_the_reason(hang: Hang) -> None:
    ada, grace = await pair(hang)
    await ada.node("mail1").locator(".fl-head").click()
    await ada.page.locator("#node-name").fill("First")
    await ada.saved()
    await ada.node("mail2").locator(".fl-head").click()
    await ada.page.locator('#panel[data-panel="mail2"]').wait_for()
    await ada.page.locator("#node-name").fill("Ada’s")
    await ada.saved()
    await expect(grace.node("mail2")).to_contain_text("Ada’s")
    await grace.node("mail2").locator(".fl-head").click()
    await grace.page.locator("#node-name").fill("Grace’s")
    await grace.saved()
    await expect(ada.node("mail2")).to_contain_text("Grace’s")
    await ada.focus()
    await ada.page.keyboard.press("Control+z")
    dialog = ada.page.get_by_role("dialog", name="This cannot be undone")
    await expect(dialog).to_contain_text("Grace changed the same since")
    assert (await ada.desk.sheet()).nodes["mail2"].name == "Grace’s"
    # Passed over, what was done before it can be undone.
    await dialog.get_by_role("button", name="Pass over it").click()
    await ada.saved()
    await ada.focus()
    await ada.page.keyboard.press("Control+z")
    await expect(ada.node("mail1")).to_contain_text("Mail 1")
    names = {node: spec.name for node, spec in (await ada.saved()).nodes.items()}
    assert (names["mail1"], names["mail2"]) == ("Mail 1", "Grace’s")


async def test_each_sees_who_is_here_and_what_they_hold(hang: Hang) -> None:
    ada, grace = await pair(hang)
    faces = ada.page.get_by_role("list", name="Who is here")
    await expect(faces.locator("li:visible")).to_have_count(1)
    await expect(faces).to_contain_text("Grace")
    await grace.node("mail2").locator(".fl-head").click()
    await expect(ada.node("mail2")).to_have_attribute("data-held", "Grace")
    await grace.node("mail3").locator(".fl-head").click()
    await expect(ada.node("mail3")).to_have_attribute("data-held", "Grace")
    await expect(ada.node("mail2")).not_to_have_attribute("data-held", "Grace")
    await grace.page.goto("about:blank")
    await expect(faces.locator("li:visible")).to_have_count(0)
    await expect(ada.node("mail3")).not_to_have_attribute("data-held", "Grace")
    await grace.open()


async def test_a_connection_lost_in_the_middle_of_a_drag_loses_and_doubles_nothing(
    hang: Hang,
) -> None:
    ada = await hang(a_chain(3))
    mouse = ada.page.mouse
    x, y = await ada.middle(ada.node("mail1").locator(".fl-head"))
    await mouse.move(x, y)
    await mouse.down()
    await mouse.move(x, y + 60, steps=3)
    await ada.page.context.set_offline(offline=True)
    await mouse.move(x, y + 120, steps=3)
    await mouse.up()
    await expect(ada.page.locator("#saved")).to_contain_text("Not connected: 1 to save")
    # Work goes on meanwhile.
    await ada.node("mail2").locator(".fl-head").click()
    await ada.page.keyboard.press("Delete")
    await expect(ada.page.locator("#saved")).to_contain_text("Not connected: 2 to save")
    assert await ada.desk.rev() == 0
    await ada.page.context.set_offline(offline=False)
    sheet = await ada.saved()
    assert "mail2" not in sheet.nodes
    assert sheet.position("mail1") == (320, 240)
    assert await ada.desk.rev() == 2


async def test_an_answer_that_is_lost_is_asked_for_again_under_the_same_id(hang: Hang) -> None:
    ada = await hang(a_chain(2))
    bodies: list[str] = []

    async def lose_the_answer(route: Route) -> None:
        bodies.append(route.request.post_data or "")
        if len(bodies) == 1:
            await route.fetch()  # the server does it; the browser never hears
            await route.abort()
        else:
            await route.continue_()

    await ada.page.route("**/commands", lose_the_answer)
    await ada.node("mail1").locator(".fl-head").click()
    await ada.page.get_by_role("button", name="Update service").click()
    await ada.node("update_service").wait_for()
    sheet = await ada.saved()
    assert len(bodies) == 2
    first, second = (parse_qs(body) for body in bodies)
    assert all(first[name] == second[name] for name in ("id", "kind", "base_rev", "payload"))
    assert sorted(sheet.nodes) == ["mail1", "paid", "update_service"]
    assert await ada.desk.rev() == 1


async def test_many_gestures_at_once_end_the_same_for_both(hang: Hang) -> None:
    ada, grace = await pair(hang)

    async def nudge(easel: Easel, node: str, key: str) -> None:
        await easel.node(node).locator(".fl-head").click()
        for _ in range(6):
            await easel.page.keyboard.press(f"Alt+{key}")
            await asyncio.sleep(0)

    await asyncio.gather(nudge(ada, "mail1", "ArrowDown"), nudge(grace, "mail2", "ArrowUp"))
    await ada.saved()
    await grace.saved()
    await expect(ada.node("mail2")).to_have_attribute("data-y", "0")
    await expect(grace.node("mail1")).to_have_attribute("data-y", "240")
    places: list[Any] = [
        await easel.page.evaluate(
            "[...document.querySelectorAll('.fl-node')].map(el => [el.id, el.style.transform]).sort()"
        )
        for easel in (ada, grace)
    ]
    assert places[0] == places[1]


async def test_who_is_signed_out_keeps_what_is_drawn_until_signed_in_again(hang: Hang) -> None:
    ada = await hang(a_chain(3))
    page, context = ada.page, ada.page.context
    url = page.url
    before = await context.cookies()
    await context.clear_cookies()
    await ada.node("mail2").locator(".fl-head").click()
    await page.keyboard.press("Delete")
    await expect(page.locator("#saved")).to_have_text("Signed out: 1 to save")
    await expect(page.get_by_role("link", name="Sign in")).to_be_visible()
    assert "mail2" in (await ada.desk.sheet()).nodes
    # Signed in again, in another window.
    await context.add_cookies([one for one in before if one["name"] == SESSION_COOKIE])
    assert "mail2" not in (await ada.saved()).nodes
    await expect(page.get_by_role("link", name="Sign in")).to_be_hidden()
    assert page.url == url


async def test_without_redis_it_is_not_known_who_is_here(
    hang: Hang, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object, **__: object) -> None:
        raise RedisConnectionError("away")

    monkeypatch.setattr("app.routes.designer.people.who_is_here", away)
    ada = await hang(a_chain(2))
    unknown = ada.page.locator("#people p")
    await expect(unknown).to_have_text("?")
    await expect(unknown).to_have_attribute("aria-label", UNKNOWN)
