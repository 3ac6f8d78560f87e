"""Gestures by each way of the hand: what the files beside this do by one way is done by the others.

What counts is what the server stored. `docs/editor-evidence.md` has the whole table.
"""

from playwright.async_api import Locator, expect

from app.flows.document import Document, NodeSpec
from tests.chromium import until
from tests.designer.conftest import Easel, Hang
from tests.designer.desk import a_chain
from tests.designer.test_commands import looped
from tests.designer.test_keyboard import press, said
from tests.designer.test_touch import fingers_of, tap

PAPER = (300.0, 640.0)
"""A place of the canvas, on a tablet, where nothing stands."""


def repeating() -> Document:
    """A flow that may be published, with a container and a node behind it."""
    document = looped()
    document.nodes["service"] = NodeSpec(type="action.send_mail", name="Last mail")
    return document


def tool(easel: Easel, name: str) -> Locator:
    return easel.page.get_by_role("toolbar", name="Canvas").get_by_role("button", name=name)


def deed(easel: Easel, name: str) -> Locator:
    return easel.page.locator("#panel").get_by_role("button", name=name, exact=True)


def edge(easel: Easel, source: str, to: str) -> Locator:
    return easel.page.locator(f'path[data-from="{source}"][data-to="{to}"]')


async def edge_middle(easel: Easel, source: str, to: str) -> tuple[float, float]:
    a = await easel.edge_point(easel.port(source))
    b = await easel.middle(easel.node(to).locator(".fl-in"))
    return (a[0] + b[0]) / 2, (a[1] + b[1]) / 2


async def tab_to(easel: Easel, what: str) -> None:
    """Press Tab until it has the focus: it is reached by keys alone."""
    for _ in range(80):
        await press(easel, "Tab")
        if await easel.page.evaluate("what => document.activeElement?.matches(what)", what):
            return
    raise AssertionError(f"Tab does not come to {what}")


async def edge_by_keys(easel: Easel, words: str) -> None:
    for _ in range(4):
        await press(easel, "e")
        if words in (await easel.page.locator("#voice").text_content() or ""):
            return
    raise AssertionError(f"E does not come to: {words}")


async def test_by_mouse(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    page = easel.page
    await page.locator("#zoom").click()
    await expect(page.locator("#zoom")).to_have_text("100 %")
    # With Alt, off the grid.
    x, y = await easel.middle(easel.node("mail2").locator(".fl-head"))
    await page.keyboard.down("Alt")
    await easel.drag((x, y), (x + 33, y + 47))
    await page.keyboard.up("Alt")
    assert (await easel.saved()).position("mail2") == (633, 167)
    # Copied and pasted by buttons.
    await easel.node("mail1").locator(".fl-head").click()
    await deed(easel, "Copy").click()
    await said(easel, "1 copied")
    await tool(easel, "Paste").click()
    await easel.node("mail1_2").wait_for()
    assert "mail1_2" in (await easel.saved()).nodes
    # Several, without Shift; duplicated together.
    await tool(easel, "Select several").click()
    await expect(page.locator("#several")).to_have_attribute("aria-pressed", "true")
    await easel.node("mail1").locator(".fl-head").click()
    await expect(page.locator("#panel")).to_contain_text("2 nodes are selected")
    await tool(easel, "Select several").click()
    await tool(easel, "Delete what").click()
    await expect(easel.node("mail1")).to_have_count(0)
    assert set((await easel.saved()).nodes) == {"paid", "mail2"}
    await tool(easel, "Undo").click()
    await easel.node("mail1").wait_for()
    # An edge, by the tool that deletes.
    await page.mouse.click(*await edge_middle(easel, "paid", "mail1"))
    await expect(page.locator("path.is-chosen")).to_have_count(1)
    await tool(easel, "Delete what").click()
    await expect(edge(easel, "paid", "mail1")).to_have_count(0)
    assert ("paid.out", "mail1.in") not in (await easel.saved()).document.edges


async def test_a_connection_lost_and_found_while_the_button_is_held(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    mouse = easel.page.mouse
    x, y = await easel.middle(easel.node("mail1").locator(".fl-head"))
    await mouse.move(x, y)
    await mouse.down()
    await mouse.move(x, y + 60, steps=2)
    await easel.page.context.set_offline(offline=True)
    await mouse.move(x, y + 90, steps=2)
    # Meanwhile someone else draws; that comes when the connection does, not into the hand.
    await easel.desk.give("rename", node="mail2", name="From Grace")
    await easel.desk.give("move", nodes={"mail2": [600, 400]})
    await easel.page.context.set_offline(offline=False)
    await expect(easel.node("mail2")).to_contain_text("From Grace")
    await mouse.move(x, y + 120, steps=2)
    await mouse.up()
    sheet = await easel.saved()
    assert (sheet.position("mail1"), sheet.position("mail2")) == ((320, 240), (600, 400))
    assert await easel.desk.rev() == 3


async def test_by_keys(hang: Hang) -> None:
    easel = await hang(a_chain(4))
    page = easel.page
    await easel.focus()
    # Several are moved at once.
    await press(easel, "ArrowRight", "ArrowRight", "Shift+ArrowRight")
    await said(easel, "2 selected")
    await press(easel, "Alt+ArrowDown")
    await expect(page.locator("#draft-live")).to_have_attribute("data-rev", "1")
    sheet = await easel.saved()
    assert [sheet.position(node) for node in ("mail1", "mail2")] == [(320, 140), (600, 140)]
    # An edge is led elsewhere: its end, then its beginning.
    await press(easel, "ArrowLeft")
    await edge_by_keys(easel, "Edge from Order paid, port out, to Mail 1")
    await press(easel, "c")
    await said(easel, "Connecting from Order paid, port out")
    await press(easel, "ArrowRight", "ArrowRight")
    await said(easel, "Mail 2")
    await press(easel, "Enter")
    await expect(edge(easel, "paid", "mail2")).to_have_count(1)
    edges = (await easel.saved()).document.edges
    assert ("paid.out", "mail2.in") in edges
    assert ("paid.out", "mail1.in") not in edges
    await edge_by_keys(easel, "Edge from Order paid, port out, to Mail 2")
    await press(easel, "c", "c")
    await said(easel, "Connecting from Order paid, port error")
    await press(easel, "ArrowRight", "ArrowRight", "Enter")
    await expect(page.locator('path[data-from="paid"][data-port="error"]')).to_have_count(1)
    assert ("paid.error", "mail2.in") in (await easel.saved()).document.edges
    # A note is written, found again, moved and taken away.
    await press(easel, "n")
    await expect(page.locator(".fl-note-text")).to_be_focused()
    await page.keyboard.type("Ask Grace")
    await press(easel, "Escape")
    ((key, note),) = (await easel.saved()).notes().items()
    assert note["text"] == "Ask Grace"
    await press(easel, "Escape", "m")
    await expect(page.locator(".fl-note")).to_be_focused()
    await press(easel, "Alt+Shift+ArrowDown")
    await until(page, f"document.querySelector('.fl-note').dataset.y === '{note['y'] + 100}'")
    assert (await easel.saved()).notes()[key]["y"] == note["y"] + 100
    await press(easel, "Delete")
    await expect(page.locator(".fl-note")).to_have_count(0)
    assert (await easel.saved()).notes() == {}
    # Panned: nothing is stored.
    rev = await easel.desk.rev()
    before = await easel.node("mail1").bounding_box()
    await press(easel, "Control+ArrowRight")
    await until(
        page,
        "x => document.getElementById('n-mail1').getBoundingClientRect().x === x - 120",
        arg=before["x"] if before else 0,
    )
    assert await easel.desk.rev() == rev
    # What is said of the flow itself.
    await press(easel, "Escape")
    await page.locator("#flow-title").wait_for()
    await tab_to(easel, "#flow-title")
    await page.keyboard.type("Fast lane")
    await expect(page.locator("#flow-name")).to_have_text("Fast lane")
    assert (await easel.saved()).document.name == "Fast lane"


async def test_the_forms_by_keys_and_publishing(hang: Hang) -> None:
    easel = await hang(repeating())
    page = easel.page
    await easel.focus()
    await press(easel, "o")
    await tab_to(easel, "#o-service button")
    await press(easel, "Enter")
    await page.locator('#panel[data-panel="service"]').wait_for()
    await tab_to(easel, "#node-within")
    await press(easel, "ArrowDown")
    await expect(easel.node("service")).to_have_attribute("data-within", "again")
    assert (await easel.saved()).nodes["service"].within == "again"
    await press(easel, "Escape", "Control+z")  # its edges come back with it
    await expect(easel.node("service")).not_to_have_attribute("data-within", "again")
    await expect(page.locator("#node-within")).to_have_value("")
    await tab_to(easel, "#fold-sliders-horizontal summary")
    await press(easel, "Enter")
    await tab_to(easel, "#policy-retry-max")
    await page.keyboard.type("5")
    await tab_to(easel, "#fold-map-pin summary")
    assert (await easel.saved()).nodes["service"].retry.max == 5
    await press(easel, "Enter")
    await tab_to(easel, "#node-pin")
    await page.keyboard.type('{"mail": "m1"}')
    await tab_to(easel, "#fold-message-square summary")
    await deed(easel, "Unpin").wait_for()
    assert (await easel.saved()).pins["service"] == {"mail": "m1"}
    await press(easel, "Enter")
    await tab_to(easel, "#node-comment")
    await page.keyboard.type("Why so late?")
    await tab_to(easel, "[data-give=comment]")
    await press(easel, "Enter")
    await page.locator(".fl-comment").wait_for()
    assert len((await easel.saved()).comments("service")) == 1
    await tab_to(easel, "[data-give=uncomment]")
    await press(easel, "Enter")
    await expect(page.locator(".fl-comment")).to_have_count(0)
    assert (await easel.saved()).comments("service") == {}
    # Taken out of sight again, and published.
    await page.keyboard.press("Escape")
    await tab_to(easel, "button[hx-get$='/publish']")
    await press(easel, "Enter")
    dialog = page.get_by_role("dialog", name="Publish version 1")
    await dialog.get_by_label("What changed, and why").wait_for()
    await tab_to(easel, "dialog textarea, dialog input:not([type=hidden])")
    await page.keyboard.type("By keys alone")
    await tab_to(easel, "dialog button[type=submit]")
    await press(easel, "Enter")
    await expect(page.get_by_text("Version 1 is published.")).to_be_visible()
    async with easel.desk.database.snapshot() as tx:
        assert await tx.fetchval("SELECT note FROM flow_version") == "By keys alone"


async def test_by_touch(hang: Hang) -> None:
    easel = await hang(a_chain(4), size="tablet", touch=True)
    page, fingers = easel.page, await fingers_of(easel)
    # Duplicated, undone, done again, deleted.
    await tap(easel, easel.node("mail1").locator(".fl-head"))
    await deed(easel, "Duplicate").tap()
    await easel.node("mail1_2").wait_for()
    assert "mail1_2" in (await easel.saved()).nodes
    await tool(easel, "Undo").tap()
    await expect(easel.node("mail1_2")).to_have_count(0)
    assert "mail1_2" not in (await easel.saved()).nodes
    await tool(easel, "Redo").tap()
    await easel.node("mail1_2").wait_for()
    assert "mail1_2" in (await easel.saved()).nodes
    await tap(easel, easel.node("mail1_2").locator(".fl-head"))
    await deed(easel, "Copy").tap()
    await said(easel, "1 copied")
    await deed(easel, "Delete").tap()
    await expect(easel.node("mail1_2")).to_have_count(0)
    assert "mail1_2" not in (await easel.saved()).nodes
    await tool(easel, "Paste").tap()
    await easel.node("mail1_2").wait_for()
    assert "mail1_2" in (await easel.saved()).nodes
    await tool(easel, "Delete what").tap()
    await expect(easel.node("mail1_2")).to_have_count(0)
    await page.touchscreen.tap(*PAPER)
    await expect(page.locator("#panel")).not_to_be_in_viewport()
    # Several: tapped, drawn around, dragged, arranged.
    await tool(easel, "Select several").tap()
    await tap(easel, easel.node("paid").locator(".fl-head"))
    await tap(easel, easel.node("mail1").locator(".fl-head"))
    await said(easel, "2 selected")
    x, y = await easel.middle(easel.node("paid").locator(".fl-head"))
    await fingers.drag((x, y), (x, y + 40))
    await expect(easel.node("mail1")).to_have_attribute("data-y", "160")
    sheet = await easel.saved()
    places = [sheet.position(node) for node in ("paid", "mail1", "mail2")]
    assert places == [(40, 160), (320, 160), (600, 120)]
    box = await easel.node("mail2").bounding_box()
    assert box is not None
    await fingers.drag((box["x"] - 20, box["y"] - 40), (box["x"] + 40, box["y"] + 20))
    await said(easel, "3 selected")
    for count in (2, 3):  # taken out by a tap, and in again
        await tap(easel, easel.node("mail2").locator(".fl-head"))
        await said(easel, f"{count} selected")
    await tool(easel, "Select several").tap()
    await deed(easel, "Arrange").tap()
    await expect(easel.node("paid")).to_have_attribute("data-y", "120")
    assert (await easel.saved()).position("mail1") == (320, 120)
    await page.touchscreen.tap(*PAPER)
    await expect(page.locator(".is-chosen")).to_have_count(0)
    # An edge: its end is led elsewhere and away, and one is tapped and deleted.
    start = await easel.middle(easel.node("mail2").locator(".fl-in"))
    await fingers.drag(start, await easel.middle(easel.node("mail3").locator(".fl-head")))
    await expect(edge(easel, "mail1", "mail3")).to_have_count(1)
    edges = (await easel.saved()).document.edges
    assert ("mail1.out", "mail3.in") in edges
    assert ("mail1.out", "mail2.in") not in edges
    x, y = await easel.middle(easel.node("mail1").locator(".fl-in"))
    await fingers.drag((x, y), (x, y + 300))
    await expect(edge(easel, "paid", "mail1")).to_have_count(0)
    assert ("paid.out", "mail1.in") not in (await easel.saved()).document.edges
    await page.touchscreen.tap(*await edge_middle(easel, "mail2", "mail3"))
    await expect(page.locator("path.is-chosen")).to_have_count(1)
    await tool(easel, "Delete what").tap()
    await expect(edge(easel, "mail2", "mail3")).to_have_count(0)
    assert ("mail2.out", "mail3.in") not in (await easel.saved()).document.edges
    # A note is added, written, dragged and deleted.
    await tool(easel, "Add a note").tap()
    await expect(page.locator(".fl-note-text")).to_be_focused()
    await page.keyboard.type("Ask Grace")
    ((key, note),) = (await easel.saved()).notes().items()
    assert note["text"] == "Ask Grace"
    await page.touchscreen.tap(*PAPER)
    x, y = await easel.middle(page.locator(".fl-note"))
    await fingers.drag((x, y), (x, y + 80))
    await until(page, f"document.querySelector('.fl-note').dataset.y !== '{note['y']}'")
    assert (await easel.saved()).notes()[key]["y"] > note["y"]
    # A second finger is for the paper: what the first has dragged goes back.
    await fingers.send("touchStart", (x, y + 80))
    await fingers.send("touchMove", (x, y + 120))
    await fingers.send("touchStart", (x, y + 120), (x + 90, y + 120))
    await fingers.send("touchEnd")
    drawn = await page.evaluate("document.querySelector('.fl-note').style.transform")
    moved = (await easel.saved()).notes()[key]
    assert drawn == f"translate({moved['x']}px, {moved['y']}px)"
    await tool(easel, "Delete what").tap()
    await expect(page.locator(".fl-note")).to_have_count(0)
    assert (await easel.saved()).notes() == {}


async def test_the_forms_by_touch_and_publishing(hang: Hang) -> None:
    easel = await hang(repeating(), size="tablet", touch=True)
    page = easel.page
    panel = page.locator("#panel")
    await tap(easel, easel.node("mail").locator(".fl-head"))
    await page.locator("#node-name").tap()
    await page.keyboard.type("Welcome")
    await page.locator("#field-template").get_by_role("button", name="ƒx").tap()
    await page.locator("#p-template[role=combobox]").fill("inp")
    await page.locator("#p-template-aid [role=option]").first.tap()
    await expect(page.locator("#p-template")).to_have_value("input")
    await page.locator("#p-template").press_sequentially(".order")
    spec = (await easel.saved()).nodes["mail"]
    assert (spec.name, spec.params) == ("Welcome", {"template": "=input.order"})
    await page.locator("#fold-sliders-horizontal summary").tap()
    await page.locator("#policy-retry-max").tap()
    await page.keyboard.type("5")
    assert (await easel.saved()).nodes["mail"].retry.max == 5
    await page.locator("#node-within").select_option("")
    await expect(easel.node("mail")).not_to_have_attribute("data-within", "again")
    assert (await easel.saved()).nodes["mail"].within is None
    await tool(easel, "Undo").tap()  # its edges come back with it
    await expect(easel.node("mail")).to_have_attribute("data-within", "again")
    await expect(page.locator("#node-within")).to_have_value("again")
    await page.locator("#fold-map-pin summary").tap()
    await page.locator("#node-pin").tap()
    await page.keyboard.type('{"mail": "m1"}')
    await page.locator("#node-name").tap()
    await deed(easel, "Unpin").wait_for()
    assert (await easel.saved()).pins["mail"] == {"mail": "m1"}
    await deed(easel, "Unpin").tap()
    await expect(deed(easel, "Unpin")).to_have_count(0)
    assert (await easel.saved()).pins == {}
    await page.locator("#fold-message-square summary").tap()
    await page.locator("#node-comment").tap()
    await page.keyboard.type("Why so late?")
    await deed(easel, "Comment").tap()
    await page.locator(".fl-comment").wait_for()
    assert len((await easel.saved()).comments("mail")) == 1
    await page.get_by_role("button", name="Settle").tap()
    await expect(page.locator(".fl-comment")).to_have_count(0)
    assert (await easel.saved()).comments("mail") == {}
    # The flow's own form comes by its name.
    await page.touchscreen.tap(*PAPER)
    await expect(panel).not_to_be_in_viewport()
    await page.locator("#flow-name").tap()
    await page.locator("#flow-title").tap()
    await press(easel, "Control+a")
    await page.keyboard.type("Fast lane")
    await expect(page.locator("#flow-name")).to_have_text("Fast lane")
    assert (await easel.saved()).document.name == "Fast lane"
    await page.touchscreen.tap(*PAPER)
    await expect(panel).not_to_be_in_viewport()
    await page.get_by_role("button", name="Publish…").tap()
    dialog = page.get_by_role("dialog", name="Publish version 1")
    await dialog.get_by_label("What changed, and why").tap()
    await page.keyboard.type("By touch alone")
    await dialog.get_by_role("button", name="Publish").tap()
    await expect(page.get_by_text("Version 1 is published.")).to_be_visible()
    async with easel.desk.database.snapshot() as tx:
        assert await tx.fetchval("SELECT note FROM flow_version") == "By touch alone"
