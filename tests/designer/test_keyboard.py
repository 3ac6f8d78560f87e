"""Every gesture by keyboard, and what is said to those who hear the page."""

from playwright.async_api import expect

from tests.designer.conftest import Easel, Hang, marked
from tests.designer.desk import a_chain
from tests.designer.test_commands import looped


async def press(easel: Easel, *keys: str) -> None:
    for key in keys:
        await easel.page.keyboard.press(key)


async def said(easel: Easel, words: str) -> None:
    await expect(easel.page.locator("#voice")).to_contain_text(words)


async def test_slash_finds_a_node_and_enter_adds_it_connected(hang: Hang) -> None:
    easel = await hang(a_chain(1))
    await easel.focus()
    await press(easel, "ArrowRight")
    await said(easel, "Order paid: Order paid. Leads nowhere.")
    await press(easel, "/")
    await easel.page.keyboard.type("mail")
    await press(easel, "Enter")
    await easel.node("send_mail").wait_for()
    assert ("paid.out", "send_mail.in") in (await easel.saved()).document.edges
    # What was added is selected: the next one goes on from there, by the other key.
    await expect(easel.node("send_mail")).to_have_class(marked("is-chosen"))
    await press(easel, "Control+k")
    await easel.page.keyboard.type("allocate")
    await press(easel, "ArrowDown", "Enter")
    await easel.node("allocate_server").wait_for()
    assert ("send_mail.out", "allocate_server.in") in (await easel.saved()).document.edges


async def test_arrows_go_along_edges_and_between_rows(hang: Hang) -> None:
    easel = await hang(a_chain(6))
    await easel.focus()
    for key, node in (
        ("ArrowRight", "paid"),
        ("ArrowRight", "mail1"),
        ("ArrowRight", "mail2"),
        ("ArrowLeft", "mail1"),
    ):
        await press(easel, key)
        await expect(easel.node(node)).to_be_focused()
        await expect(easel.node(node)).to_have_class(marked("is-chosen"))


async def test_c_connects_and_goes_through_ports_and_targets(hang: Hang) -> None:
    document = a_chain(3)
    easel = await hang(type(document)(flow="test", nodes=document.nodes, edges=(), ui=document.ui))
    await easel.focus()
    await press(easel, "ArrowRight", "c")
    await said(easel, "Connecting from Order paid, port out")
    await press(easel, "c")
    await said(easel, "port error")
    await press(easel, "c", "ArrowRight")
    await said(easel, "Mail 1")
    await press(easel, "ArrowRight")
    await said(easel, "Mail 2")
    await press(easel, "Enter")
    await expect(easel.page.locator('path[data-from="paid"][data-to="mail2"]')).to_have_count(1)
    assert (await easel.saved()).document.edges == (("paid.out", "mail2.in"),)
    await press(easel, "c", "Escape")
    await expect(easel.page.locator("#canvas")).not_to_have_class(marked("is-connecting"))


async def test_delete_undo_and_redo(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    await easel.focus()
    await press(easel, "ArrowRight", "ArrowRight", "Delete")
    await expect(easel.node("mail1")).to_have_count(0)
    assert (await easel.saved()).document.edges == ()
    await press(easel, "Control+z")
    await easel.node("mail1").wait_for()
    assert set((await easel.saved()).document.edges) == set(a_chain(3).edges)
    await press(easel, "Control+Shift+z")
    await expect(easel.node("mail1")).to_have_count(0)
    await press(easel, "Control+z")
    await easel.node("mail1").wait_for()
    await press(easel, "Control+z")
    await expect(easel.page.locator("#said")).to_contain_text("nothing of yours to undo")


async def test_an_edge_is_chosen_with_e_and_taken_away(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    await easel.focus()
    await press(easel, "ArrowRight", "ArrowRight", "e", "e")
    await said(easel, "Edge from Order paid, port out, to Mail 1")
    await press(easel, "Backspace")
    await expect(easel.page.locator('path[data-from="paid"]')).to_have_count(0)
    assert (await easel.saved()).document.edges == (("mail1.out", "mail2.in"),)


async def test_alt_and_arrows_move_what_is_selected(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    await easel.focus()
    await press(easel, "ArrowRight", "Alt+ArrowDown", "Alt+ArrowDown", "Alt+ArrowRight")
    await expect(easel.page.locator("#draft-live")).to_have_attribute("data-rev", "1")
    assert (await easel.saved()).position("paid") == (60, 160)


async def test_select_all_duplicate_and_escape(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    await easel.focus()
    await press(easel, "Control+a")
    await said(easel, "3 selected")
    await press(easel, "Control+d")
    await easel.node("mail2_2").wait_for()
    assert len((await easel.saved()).nodes) == 6
    await press(easel, "Escape")
    await expect(easel.page.locator(".is-chosen")).to_have_count(0)


async def test_copy_cut_and_paste_between_two_windows(hang: Hang) -> None:
    ada = await hang(a_chain(3))
    await ada.focus()
    await press(ada, "ArrowRight", "ArrowRight", "Shift+ArrowRight")
    await said(ada, "2 selected")
    await press(ada, "Control+c")
    await said(ada, "2 copied")
    text = await ada.page.evaluate("navigator.clipboard.readText()")
    assert '"mail1.out"' in text
    other = await ada.page.context.new_page()
    await other.goto(f"{ada.address}/designer/drafts/{ada.desk.draft}")
    await other.locator("#canvas[data-ready]").wait_for()
    await other.locator("#canvas").focus()
    await other.keyboard.press("Control+v")
    await other.locator("#n-mail2_2").wait_for()
    sheet = await ada.desk.sheet()
    assert ("mail1_2.out", "mail2_2.in") in sheet.document.edges
    # The first window sees what the second pasted, and cuts it again.
    await ada.page.bring_to_front()
    await ada.node("mail2_2").wait_for()
    await ada.node("mail2_2").click()
    await press(ada, "Control+x")
    await expect(ada.node("mail2_2")).to_have_count(0)
    assert "mail2_2" not in (await ada.saved()).nodes
    await press(ada, "Control+v")
    await ada.node("mail2_2").wait_for()


async def test_what_is_no_flow_is_not_pasted(hang: Hang) -> None:
    easel = await hang(a_chain(1))
    await easel.page.evaluate("navigator.clipboard.writeText('hello')")
    await easel.focus()
    await press(easel, "Control+v")
    await expect(easel.page.locator("#said")).to_contain_text("no part of a flow")
    assert await easel.desk.rev() == 0


async def test_names_notes_layout_outline_and_the_cheat_sheet(hang: Hang) -> None:
    easel = await hang(looped())
    await easel.focus()
    await press(easel, "ArrowRight")
    await easel.page.locator("#node-name").wait_for()
    await press(easel, "F2")
    await easel.page.keyboard.type("A client paid")
    await press(easel, "Escape")
    await expect(easel.node("paid").locator(".fl-title")).to_have_text("A client paid")
    assert (await easel.saved()).nodes["paid"].name == "A client paid"
    await expect(easel.node("paid")).to_be_focused()
    await press(easel, "Alt+ArrowDown", "Alt+ArrowDown")
    await expect(easel.page.locator("#draft-live")).to_have_attribute("data-rev", "2")
    await press(easel, "l")
    await expect(easel.page.locator("#draft-live")).to_have_attribute("data-rev", "3")
    sheet = await easel.saved()
    assert (sheet.position("mail") or (0, 0))[0] < (sheet.position("service") or (0, 0))[0]
    await press(easel, "o")
    await expect(easel.page.locator("#o-paid button")).to_be_focused()
    await press(easel, "Tab")
    await expect(easel.page.locator("#o-again button")).to_be_focused()
    await press(easel, "Enter")
    await expect(easel.node("again")).to_be_focused()
    await press(easel, "n")
    await expect(easel.page.locator(".fl-note-text")).to_be_focused()
    await press(easel, "Escape", "?")
    sheet_of_keys = easel.page.get_by_role("dialog", name="Keys")
    await expect(sheet_of_keys).to_contain_text("Connect from the selected node")
    await press(easel, "Escape")
    await expect(sheet_of_keys).to_be_hidden()


async def test_enter_goes_to_the_form_and_escape_back(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    await easel.focus()
    await press(easel, "ArrowRight", "ArrowRight")
    await easel.page.locator("#p-template").wait_for()
    await press(easel, "Enter")
    await expect(easel.page.locator("#p-template")).to_be_focused()
    await easel.page.keyboard.type("welcome")
    await press(easel, "Escape")
    await expect(easel.node("mail1")).to_be_focused()
    assert (await easel.saved()).nodes["mail1"].params == {"template": "welcome"}


async def test_zoom_by_keys(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    await easel.focus()
    for key, words in (("0", "100 %"), ("+", "125 %"), ("-", "100 %"), ("1", "100 %")):
        await press(easel, key)
        await expect(easel.page.locator("#zoom")).to_have_text(words)
