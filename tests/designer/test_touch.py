"""Every gesture by touch: tapping, dragging with a finger, pinching; on a tablet."""

from typing import Any

from playwright.async_api import CDPSession, Locator, expect

from tests.chromium import until
from tests.designer.conftest import Easel, Hang, marked
from tests.designer.desk import a_chain


class Fingers:
    """Touches as Chromium gets them from a screen."""

    def __init__(self, session: CDPSession) -> None:
        self.session = session

    async def send(self, kind: str, *points: tuple[float, float]) -> None:
        touches: list[dict[str, Any]] = [
            {"x": x, "y": y, "id": number} for number, (x, y) in enumerate(points)
        ]
        await self.session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": touches})

    async def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        await self.send("touchStart", start)
        for step in range(1, 6):
            at = tuple(a + (b - a) * step / 5 for a, b in zip(start, end, strict=True))
            await self.send("touchMove", (at[0], at[1]))
        await self.send("touchEnd")


async def fingers_of(easel: Easel) -> Fingers:
    return Fingers(await easel.page.context.new_cdp_session(easel.page))


async def tap(easel: Easel, what: Locator) -> None:
    await easel.page.touchscreen.tap(*await easel.middle(what))


async def test_a_tapped_port_and_a_tapped_node_are_connected(hang: Hang) -> None:
    document = a_chain(3)
    bare = type(document)(flow="test", nodes=document.nodes, edges=(), ui=document.ui)
    easel = await hang(bare, size="tablet", touch=True)
    await easel.page.touchscreen.tap(*await easel.edge_point(easel.port("paid")))
    await expect(easel.page.locator("#canvas")).to_have_class(marked("is-connecting"))
    await tap(easel, easel.node("mail2").locator(".fl-head"))
    await expect(easel.page.locator('path[data-from="paid"][data-to="mail2"]')).to_have_count(1)
    assert (await easel.saved()).document.edges == (("paid.out", "mail2.in"),)


async def test_a_node_is_added_from_the_drawer_by_tapping(hang: Hang) -> None:
    easel = await hang(a_chain(2), size="tablet", touch=True)
    await tap(easel, easel.node("mail1").locator(".fl-head"))
    await expect(easel.node("mail1")).to_have_class(marked("is-chosen"))
    await easel.page.get_by_role("button", name="Add a node").tap()
    await easel.page.get_by_role("button", name="Update service").tap()
    await easel.node("update_service").wait_for()
    assert ("mail1.out", "update_service.in") in (await easel.saved()).document.edges


async def test_a_finger_drags_a_node_and_pans_the_paper(hang: Hang) -> None:
    easel = await hang(a_chain(2), size="tablet", touch=True)
    fingers = await fingers_of(easel)
    x, y = await easel.middle(easel.node("mail1").locator(".fl-head"))
    await fingers.drag((x, y), (x + 40, y + 80))
    await expect(easel.page.locator("#draft-live")).to_have_attribute("data-rev", "1")
    assert (await easel.saved()).position("mail1") == (360, 200)
    before = await easel.middle(easel.node("mail1"))
    await fingers.drag((300, 640), (360, 600))
    await until(
        easel.page,
        "x => Math.abs(document.getElementById('n-mail1').getBoundingClientRect().x + 100 - x) > 30",
        arg=before[0],
    )
    assert await easel.desk.rev() == 1


async def test_a_finger_draws_an_edge(hang: Hang) -> None:
    easel = await hang(a_chain(3), size="tablet", touch=True)
    fingers = await fingers_of(easel)
    start = await easel.edge_point(easel.port("paid", "error"))
    await fingers.drag(start, await easel.middle(easel.node("mail2").locator(".fl-head")))
    await expect(easel.page.locator('path[data-port="error"]')).to_have_count(1)
    assert ("paid.error", "mail2.in") in (await easel.saved()).document.edges


async def test_two_fingers_zoom(hang: Hang) -> None:
    easel = await hang(a_chain(2), size="tablet", touch=True)
    fingers = await fingers_of(easel)
    await fingers.send("touchStart", (400, 500), (500, 500))
    for spread in (20, 40, 60):
        await fingers.send("touchMove", (400 - spread, 500), (500 + spread, 500))
    await fingers.send("touchEnd")
    await expect(easel.page.locator("#zoom")).to_have_text("200 %")
    assert await easel.desk.rev() == 0


async def test_the_form_lies_over_the_paper_and_is_tapped_away(hang: Hang) -> None:
    easel = await hang(a_chain(2), size="tablet", touch=True)
    await tap(easel, easel.node("mail1").locator(".fl-head"))
    panel = easel.page.locator("#panel")
    await expect(panel).to_be_in_viewport()
    await easel.page.locator("#p-template").fill("welcome")
    await easel.page.touchscreen.tap(300, 700)
    await expect(panel).not_to_be_in_viewport()
    assert (await easel.saved()).nodes["mail1"].params == {"template": "welcome"}
