"""A nested form in the browser: rows, entries and kinds by mouse and keyboard, ports at once."""

from playwright.async_api import expect

from app.flows.document import Document, NodeSpec
from tests.designer.conftest import Easel, Hang, marked
from tests.designer.test_look import look


def branching() -> Document:
    """A switch with two cases, and a step that sets variables."""
    return Document(
        flow="test",
        name="Test flow",
        nodes={
            "paid": NodeSpec(type="trigger.order_paid"),
            "which": NodeSpec(
                type="logic.switch",
                name="Which system",
                params={
                    "value": "=input.os",
                    "cases": [
                        {"name": "linux", "is": "debian-12"},
                        {"name": "large", "when": "=input.ram_gb > 64"},
                    ],
                },
            ),
            "mail": NodeSpec(type="action.send_mail"),
            "set": NodeSpec(type="data.set", params={"variables": {"tries": 1}}),
        },
        edges=(
            ("paid.out", "which.in"),
            ("which.case:linux", "mail.in"),
            ("which.default", "set.in"),
        ),
        ui={
            "paid": {"x": 40, "y": 120},
            "which": {"x": 320, "y": 120},
            "mail": {"x": 600, "y": 60},
            "set": {"x": 600, "y": 260},
        },
    )


async def open_form(easel: Easel, node: str) -> None:
    await easel.node(node).locator(".fl-head").click()
    await easel.page.locator(f'#panel[data-panel="{node}"]').wait_for()


async def look_again(easel: Easel, name: str, node: str) -> None:
    """Look, and open the page anew: axe leaves attributes behind that the policy minds later."""
    await easel.saved()
    await easel.open()
    await open_form(easel, node)
    await look(easel.page, name)
    await easel.open()
    await open_form(easel, node)


async def test_cases_are_edited_as_rows_and_the_ports_follow(hang: Hang) -> None:
    easel = await hang(branching())
    page = easel.page
    await open_form(easel, "which")
    await look_again(easel, "nested-desk-light", "which")
    # By the mouse: a row more, which asks for its name at once.
    await page.locator("#field-cases").get_by_role("button", name="Add a row").last.click()
    name = page.locator("#p-cases-2-name")
    await expect(name).to_be_focused()
    # By the keyboard from here on.
    await page.keyboard.type("windows")
    await page.keyboard.press("Tab")
    await expect(easel.port("which", "case:windows")).to_have_count(1)
    await page.locator("#p-cases-2-is").fill("7")
    sheet = await easel.saved()
    assert sheet.nodes["which"].params["cases"][2] == {"name": "windows", "is": 7}
    # A case takes another name: its edge goes with it.
    await page.locator("#p-cases-0-name").fill("unix")
    await expect(easel.port("which", "case:unix")).to_have_count(1)
    assert ("which.case:unix", "mail.in") in (await easel.saved()).document.edges
    # What is wrong is said beside the field.
    await page.locator("#p-cases-1-name").fill("@")
    await expect(page.locator("#p-cases-1-name-wrong")).not_to_be_empty()
    await page.locator("#p-cases-1-name").fill("large")
    await expect(page.locator("#p-cases-1-name-wrong")).to_be_empty()
    # A leaf as an expression, and the list as JSON.
    await page.locator("#field-cases-2-is").get_by_role("button", name="ƒx").click()
    code = page.locator("#p-cases-2-is[role=combobox]")
    await code.fill("input.os")
    await expect(page.locator("#p-cases-2-is-aid output")).to_be_visible()
    assert (await easel.saved()).nodes["which"].params["cases"][2]["is"] == "=input.os"
    await page.get_by_role("button", name="{ }: JSON for Cases").click()
    await expect(page.locator("#p-cases[data-mode=json]")).to_have_value(marked("windows"))
    await page.get_by_role("button", name="{ }: JSON for Cases").click()
    # Rows change places by a key on their button, and stay focused.
    await page.get_by_role("button", name="Cases 3: up").focus()
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("button", name="Cases 2: up")).to_be_focused()
    names = [case["name"] for case in (await easel.saved()).nodes["which"].params["cases"]]
    assert names == ["unix", "windows", "large"]
    # A case is taken away: its edge is broken, and is led from another port.
    await page.get_by_role("button", name="Cases 1: take away").click()
    await expect(page.locator(".fl-edge.is-broken")).to_have_count(1)
    await expect(easel.node("which").locator(".fl-port.is-lost")).to_contain_text("unix")
    await look_again(easel, "broken-desk-light", "which")
    await page.get_by_label("case:unix → Send mail").select_option("case:windows")
    await expect(page.locator(".fl-edge.is-broken")).to_have_count(0)
    assert ("which.case:windows", "mail.in") in (await easel.saved()).document.edges
    await expect(page.locator(".fl-broken")).to_have_count(0)
    # All of it is taken back, step by step.
    await easel.focus()
    await page.keyboard.press("Control+z")
    await page.keyboard.press("Control+z")
    await expect(easel.port("which", "case:unix")).to_have_count(1)
    await expect(page.locator("#p-cases-0-name")).to_have_value("unix")


async def test_entries_are_named_and_given_values_by_touch(hang: Hang) -> None:
    easel = await hang(branching(), size="phone", theme="dark", touch=True)
    page = easel.page
    await easel.focus()
    await page.keyboard.press("1")
    await easel.node("set").locator(".fl-head").tap()
    form = page.locator("#field-variables")
    await form.get_by_role("button", name="Add an entry").tap()
    await expect(page.locator("#p-variables-1-name")).to_be_focused()
    await page.keyboard.type("region")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Tab")
    await expect(form.get_by_label("Variables: region, name")).to_have_count(1)
    value = page.locator("#p-variables-1")
    await value.fill("ams1")
    assert (await easel.saved()).nodes["set"].params["variables"] == {"tries": 1, "region": "ams1"}
    await form.get_by_label("Kind of Variables: region").select_option("list")
    await form.get_by_role("button", name="Add a row").tap()
    await expect(page.locator("#p-variables-0-0")).to_be_focused()
    await page.keyboard.type("ams1")
    assert (await easel.saved()).nodes["set"].params["variables"]["region"] == ["ams1"]
    await form.get_by_role("button", name="Variables: tries: take away").tap()
    await expect(form.get_by_label("Variables: tries, name")).to_have_count(0)
    assert (await easel.saved()).nodes["set"].params["variables"] == {"region": ["ams1"]}
    await look(page, "entries-phone-dark")
