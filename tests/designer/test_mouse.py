"""Every gesture by mouse; what counts is what the server stored."""

from playwright.async_api import expect

from app.flows.document import Document
from tests.chromium import until
from tests.designer.conftest import Hang, marked
from tests.designer.desk import a_chain
from tests.designer.test_commands import looped


async def test_a_node_is_clicked_into_the_flow_behind_the_selected_one(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    await easel.node("mail1").click()
    await easel.page.get_by_role("button", name="Update service").click()
    await easel.node("update_service").wait_for()
    sheet = await easel.saved()
    assert ("mail1.out", "update_service.in") in sheet.document.edges
    await expect(easel.node("update_service")).to_have_class(marked("is-chosen"))


async def test_a_node_is_dragged_from_the_palette_to_its_place(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    entry = easel.page.locator('[data-type="action.send_mail"]')
    box = await easel.page.locator("#canvas").bounding_box()
    assert box is not None
    await entry.scroll_into_view_if_needed()  # the palette is longer than the screen
    await easel.drag(await easel.middle(entry), (box["x"] + 500, box["y"] + 600))
    await easel.node("send_mail").wait_for()
    sheet = await easel.saved()
    assert not sheet.edges_of("send_mail")
    place = await easel.node("send_mail").bounding_box()
    assert place is not None
    assert abs(place["x"] - box["x"] - 500) < 20
    # Dropped on a node, it is connected to it.
    await entry.scroll_into_view_if_needed()
    await easel.drag(await easel.middle(entry), await easel.middle(easel.node("mail1")))
    await easel.node("send_mail_2").wait_for()
    assert ("mail1.out", "send_mail_2.in") in (await easel.saved()).document.edges


async def test_nodes_are_dragged_alone_and_together_on_the_grid(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    x, y = await easel.middle(easel.node("mail2"))
    await easel.drag((x, y - 30), (x + 47, y + 95))
    sheet = await easel.saved()
    assert sheet.position("mail2") == (640, 240)
    await easel.node("paid").click(position={"x": 60, "y": 20})
    await easel.node("mail1").click(position={"x": 60, "y": 20}, modifiers=["Shift"])
    x, y = await easel.middle(easel.node("mail1"))
    await easel.drag((x, y - 30), (x, y + 30))
    sheet = await easel.saved()
    assert [sheet.position(node) for node in ("paid", "mail1", "mail2")] == [
        (40, 180),
        (320, 180),
        (640, 240),
    ]


async def test_an_edge_is_drawn_from_port_to_node_and_bad_targets_are_shown(hang: Hang) -> None:
    easel = await hang(looped())
    start = await easel.edge_point(easel.port("mail", "error"))
    mouse = easel.page.mouse
    await mouse.move(*start)
    await mouse.down()
    await mouse.move(*await easel.middle(easel.node("again")), steps=5)
    await expect(easel.node("again")).to_have_class(marked("is-barred"))
    await expect(easel.node("service")).not_to_have_class(marked("is-barred"))
    await mouse.up()
    await expect(easel.page.locator("#said")).to_contain_text("lead back")
    assert len((await easel.saved()).document.edges) == 3
    await easel.page.get_by_role("button", name="Send mail Sends").click()
    await easel.node("send_mail").wait_for()
    start = await easel.edge_point(easel.port("mail"))
    await easel.drag(start, await easel.middle(easel.node("send_mail")))
    await expect(easel.page.locator('path[data-from="mail"][data-to="send_mail"]')).to_have_count(1)
    sheet = await easel.saved()
    assert ("mail.out", "send_mail.in") in sheet.document.edges
    assert sheet.nodes["send_mail"].within == "again"


async def test_an_edge_is_taken_by_its_end_and_led_elsewhere_or_away(hang: Hang) -> None:
    easel = await hang(a_chain(4))
    entry = easel.node("mail3").locator(".fl-in")
    await easel.drag(await easel.middle(entry), await easel.middle(easel.node("mail2")))
    # Where it was already: nothing changes.
    assert len((await easel.saved()).document.edges) == 3
    entry = easel.node("mail2").locator(".fl-in")
    await easel.drag(await easel.middle(entry), await easel.middle(easel.node("mail3")))
    await expect(easel.page.locator('path[data-from="mail1"][data-to="mail3"]')).to_have_count(1)
    sheet = await easel.saved()
    assert ("mail1.out", "mail3.in") in sheet.document.edges
    assert ("mail1.out", "mail2.in") not in sheet.document.edges
    x, y = await easel.middle(easel.node("mail1").locator(".fl-in"))
    await easel.drag((x, y), (x, y + 300))
    await expect(easel.page.locator('path[data-from="paid"]')).to_have_count(0)
    assert ("paid.out", "mail1.in") not in (await easel.saved()).document.edges


async def test_an_edge_is_clicked_and_deleted(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    a = await easel.edge_point(easel.port("mail1"))
    b = await easel.middle(easel.node("mail2").locator(".fl-in"))
    await easel.page.mouse.click((a[0] + b[0]) / 2, (a[1] + b[1]) / 2)
    await expect(easel.page.locator("path.is-chosen")).to_have_count(1)
    await easel.page.keyboard.press("Delete")
    await expect(easel.page.locator('path[data-from="mail1"]')).to_have_count(0)
    assert ("mail1.out", "mail2.in") not in (await easel.saved()).document.edges


async def test_the_rubber_band_selects_what_it_touches(hang: Hang) -> None:
    easel = await hang(a_chain(5))
    first = await easel.node("mail1").bounding_box()
    last = await easel.node("mail2").bounding_box()
    assert first is not None
    assert last is not None
    await easel.drag((first["x"] - 30, first["y"] - 60), (last["x"] + 40, last["y"] + 160))
    await expect(easel.page.locator(".fl-node.is-chosen")).to_have_count(2)
    await expect(easel.page.locator("#panel")).to_contain_text("2 nodes are selected")
    await easel.page.locator("#panel").get_by_role("button", name="Duplicate").click()
    await easel.node("mail1_2").wait_for()
    sheet = await easel.saved()
    assert ("mail1_2.out", "mail2_2.in") in sheet.document.edges
    await expect(easel.page.locator(".fl-node.is-chosen")).to_have_count(2)
    await easel.page.locator("#panel").get_by_role("button", name="Delete").click()
    await expect(easel.node("mail1_2")).to_have_count(0)
    assert set((await easel.saved()).nodes) == set(a_chain(5).nodes)


async def test_the_tools_undo_redo_arrange_and_add_notes(hang: Hang) -> None:
    document = a_chain(3)
    document.ui["mail2"] = {"x": 900, "y": 700}
    easel = await hang(document)
    tools = easel.page.get_by_role("toolbar", name="Canvas")
    await tools.get_by_role("button", name="Arrange").click()
    await expect(easel.node("mail2")).to_have_attribute("data-y", "120")
    assert (await easel.saved()).position("mail2") == (600, 120)
    await tools.get_by_role("button", name="Undo").click()
    await expect(easel.node("mail2")).to_have_attribute("data-y", "700")
    assert (await easel.saved()).position("mail2") == (900, 700)
    await tools.get_by_role("button", name="Redo").click()
    await expect(easel.node("mail2")).to_have_attribute("data-y", "120")
    await easel.page.locator("#zoom").click()
    await expect(easel.page.locator("#zoom")).to_have_text("100 %")
    await tools.get_by_role("button", name="Add a note").click()
    text = easel.page.locator(".fl-note-text")
    await text.wait_for()
    await easel.page.keyboard.type("Ask Grace")
    sheet = await easel.saved()
    (note,) = sheet.notes().values()
    assert note["text"] == "Ask Grace"
    x, _ = await easel.middle(easel.page.locator(".fl-note"))
    box = await easel.page.locator(".fl-note").bounding_box()
    assert box is not None
    await easel.page.locator("#canvas").focus()
    await easel.drag((x, box["y"] + 6), (x + 100, box["y"] + 106))
    moved = (await easel.saved()).notes()[note["id"]]
    assert (moved["x"] - note["x"], moved["y"] - note["y"]) == (100, 100)
    await easel.page.keyboard.press("Delete")
    await expect(easel.page.locator(".fl-note")).to_have_count(0)
    assert (await easel.saved()).notes() == {}


async def test_panning_zooming_and_the_minimap_change_nothing(hang: Hang) -> None:
    easel = await hang(a_chain(8))
    tools = easel.page.get_by_role("toolbar", name="Canvas")
    box = await easel.page.locator("#canvas").bounding_box()
    assert box is not None
    map_box = await easel.page.locator("#minimap").bounding_box()
    tools_box = await tools.bounding_box()
    assert map_box is not None
    assert tools_box is not None
    assert map_box["y"] + map_box["height"] <= tools_box["y"]
    # What the browser scrolls by itself, to a focus or a text that was found, is panned.
    node = await easel.page.evaluate(
        "(() => { const edge = canvas.getBoundingClientRect().right;"
        " const el = [...document.querySelectorAll('.fl-node:not(.is-far)')]"
        ".find(el => el.getBoundingClientRect().left > edge);"
        " el.scrollIntoView(); return el.dataset.node; })()"
    )
    await until(easel.page, "canvas.scrollLeft === 0")
    await expect(easel.node(node)).to_be_in_viewport(ratio=0.99)
    assert await easel.page.locator("#minimap").bounding_box() == map_box
    before = await easel.node("mail1").bounding_box()
    await easel.page.mouse.move(box["x"] + 400, box["y"] + 500)
    await easel.page.mouse.wheel(120, 40)
    await until(
        easel.page,
        "x => document.getElementById('n-mail1').getBoundingClientRect().x !== x",
        arg=before["x"] if before else 0,
    )
    await easel.page.locator("#zoom").click()
    await expect(easel.page.locator("#zoom")).to_have_text("100 %")
    await tools.get_by_role("button", name="Zoom in").click()
    await expect(easel.page.locator("#zoom")).to_have_text("125 %")
    await easel.page.mouse.click(map_box["x"] + 150, map_box["y"] + 54)
    await tools.get_by_role("button", name="Show the whole flow").click()
    await expect(easel.node("mail7")).to_be_in_viewport(ratio=0.99)
    assert await easel.desk.rev() == 0


async def test_an_empty_flow_leads_through_its_first_steps(hang: Hang) -> None:
    easel = await hang(Document(flow="test", nodes={}, edges=()))
    guide = easel.page.get_by_role("complementary", name="First steps")
    await expect(guide.locator(".is-current")).to_contain_text("Add what starts the flow")
    await easel.page.get_by_role("button", name="Order paid").click()
    await expect(guide.locator(".is-current")).to_contain_text("Add what it does")
    await easel.page.get_by_role("button", name="Send mail").click()
    await expect(guide.locator(".is-current")).to_contain_text("Fill in a parameter")
    await easel.page.locator("#p-template").fill("welcome")
    await expect(easel.page.locator("#guide")).to_be_hidden()
    sheet = await easel.saved()
    assert sheet.nodes["send_mail"].params == {"template": "welcome"}
    assert ("order_paid.out", "send_mail.in") in sheet.document.edges
    await expect(easel.page.locator("#problems")).to_contain_text("Can run")
