"""A flow of 500 nodes: everything works, what is sent stays small, what is far costs nothing."""

from playwright.async_api import Response, expect

from tests.designer.conftest import Hang
from tests.designer.desk import a_chain


async def test_500_nodes_are_drawn_moved_searched_and_arranged(hang: Hang) -> None:
    easel = await hang(a_chain(500))
    sizes: dict[str, int] = {}

    async def note(response: Response) -> None:
        if response.url.endswith("/commands"):
            kind = (response.request.post_data or "").partition("kind=")[2].partition("&")[0]
            sizes[kind] = len(await response.body())

    easel.page.on("response", note)
    assert await easel.page.locator(".fl-node").count() == 500
    # What is out of sight is not drawn.
    assert await easel.page.locator(".fl-node.is-far").count() > 350
    await expect(easel.node("mail499")).to_be_hidden()
    x, y = await easel.middle(easel.node("mail1").locator(".fl-head"))
    await easel.drag((x, y), (x, y + 50))
    await easel.saved()
    await easel.node("mail2").locator(".fl-head").click()
    await easel.page.locator('#panel[data-panel="mail2"] #p-template').fill("welcome")
    sheet = await easel.saved()
    assert sheet.nodes["mail2"].params == {"template": "welcome"}
    assert sizes["move"] < 1_500
    assert sizes["set_param"] < 4_000
    # Everything is reached from the list, which comes when it is opened.
    await easel.focus()
    await easel.page.keyboard.press("o")
    await easel.page.locator("#o-mail499 button").click()
    await expect(easel.node("mail499")).to_be_focused()
    await expect(easel.node("mail499")).to_be_in_viewport()
    await easel.page.keyboard.press("Delete")
    await expect(easel.node("mail499")).to_have_count(0)
    await easel.page.keyboard.press("l")
    await expect(easel.page.locator("#draft-live")).to_have_attribute("data-rev", "4")
    sheet = await easel.saved()
    assert len(sheet.nodes) == 499
    assert len({sheet.position(node) for node in sheet.nodes}) == 499
