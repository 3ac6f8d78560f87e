"""The form of a node: made from its schema, saved and checked as it is typed."""

from playwright.async_api import expect

from app.flows.document import Document, NodeSpec
from tests.designer.conftest import Easel, Hang
from tests.designer.desk import a_chain
from tests.designer.test_commands import looped


async def open_form(hang: Hang, document: Document, node: str) -> Easel:
    easel = await hang(document)
    await easel.node(node).locator(".fl-head").click()
    await easel.page.locator(f'#panel[data-panel="{node}"]').wait_for()
    return easel


async def test_a_value_is_saved_and_checked_while_it_is_typed(hang: Hang) -> None:
    easel = await open_form(hang, looped(), "again")
    most = easel.page.locator("#p-max")
    await most.fill("many")
    wrong = easel.page.locator("#p-max-wrong")
    await expect(wrong).to_contain_text("must be a whole number")
    assert (await easel.saved()).nodes["again"].params["max"] == "many"
    await most.fill("7")
    await expect(wrong).to_be_empty()
    assert (await easel.saved()).nodes["again"].params["max"] == 7
    await most.fill("")
    await expect(wrong).to_contain_text("is missing")
    await expect(easel.node("again")).to_contain_text("Repeat until")


async def test_a_curl_command_fills_a_call_and_its_credentials_are_kept_nowhere(hang: Hang) -> None:
    nodes = {"call": NodeSpec(type="action.http", params={"url": "old"})}
    easel = await open_form(hang, Document(flow="calls", nodes=nodes, edges=()), "call")
    await easel.page.get_by_text("Fill from curl or OpenAPI").click()
    pasted, fill = (
        easel.page.locator("#node-call"),
        easel.page.get_by_role("button", name="Fill in"),
    )
    await pasted.fill("wget https://api.test/x")
    await fill.click()
    await expect(easel.page.locator("#said")).to_contain_text("neither `openapi: 3`")
    await expect(pasted).to_have_value("wget https://api.test/x")
    await pasted.fill("curl -X PUT https://api.test/x?a=1 -H 'Authorization: Bearer s3cret'")
    await fill.click()
    await expect(easel.page.locator("#p-url")).to_have_value("https://api.test/x")
    await expect(pasted).to_have_value("")
    await expect(easel.page.locator("#comments")).to_contain_text("keep it in a connection")
    sheet = await easel.saved()
    assert sheet.nodes["call"].params == {
        "url": "https://api.test/x", "method": "PUT", "query": {"a": "1"},
    }  # fmt: skip
    async with easel.desk.database.snapshot() as tx:
        kept = await tx.fetchval(
            "SELECT string_agg(c::text, '') || string_agg(d::text, '') "
            "FROM flow_draft d JOIN flow_draft_command c ON c.draft = d.id"
        )
    assert "api.test" in kept
    assert "s3cret" not in kept


async def test_a_value_becomes_an_expression_and_a_value_again(hang: Hang) -> None:
    easel = await open_form(hang, a_chain(3), "mail2")
    field = easel.page.locator("#field-template")
    await field.get_by_role("button", name="expression").click()
    code = easel.page.locator("#p-template[role=combobox]")
    await code.wait_for()
    await code.fill('input.lang == "en" ? "welcome" : "hallo"')
    assert (await easel.saved()).nodes["mail2"].params == {
        "template": '=input.lang == "en" ? "welcome" : "hallo"'
    }
    await expect(field.locator(".ink-name").first).to_have_text("input")
    await expect(field.locator(".ink-text").first).to_have_text('"en"')
    await field.get_by_role("button", name="expression").click()
    await easel.page.locator("#p-template[data-mode=text]").fill("=plain")
    assert (await easel.saved()).nodes["mail2"].params == {"template": "==plain"}


async def test_an_expression_is_completed_and_previewed_with_sample_data(hang: Hang) -> None:
    easel = await open_form(hang, a_chain(3), "mail1")
    await easel.page.get_by_text("Sample data", exact=True).click()
    pin = easel.page.locator("#node-pin")
    await pin.fill('{"mail": "m1", "recipient": "ada@example.com"}')
    await easel.node("mail2").locator(".fl-head").click()
    await easel.page.locator('#panel[data-panel="mail2"]').wait_for()
    await easel.page.locator("#field-template").get_by_role("button").first.click()
    code = easel.page.locator("#p-template[role=combobox]")
    await code.wait_for()
    await code.press_sequentially("ste")
    options = easel.page.locator("#p-template-aid [role=option]")
    await expect(options.first).to_contain_text("steps")
    await code.press("ArrowDown")
    await code.press("Enter")
    await code.press_sequentially(".mail1.")
    await expect(options.filter(has_text="recipient")).to_have_count(1)
    await code.press_sequentially("rec")
    await expect(options).to_have_count(1)
    await code.press("ArrowDown")
    await code.press("Tab")
    await expect(code).to_have_value("steps.mail1.recipient")
    await expect(easel.page.locator("#p-template-aid output")).to_contain_text("ada@example.com")
    sheet = await easel.saved()
    assert sheet.nodes["mail2"].params == {"template": "=steps.mail1.recipient"}
    assert sheet.pins["mail1"] == {"mail": "m1", "recipient": "ada@example.com"}
    await code.fill("steps.mail1.nothing")
    await expect(easel.page.locator("#p-template-aid output")).to_contain_text("nothing")


async def test_a_connection_is_chosen_among_those_of_its_kind(hang: Hang) -> None:
    document = a_chain(2)
    document.nodes["call"] = NodeSpec(type="action.chat_webhook", params={"connection": "gone"})
    document.ui["call"] = {"x": 600, "y": 120}
    easel = await open_form(hang, document, "call")
    field = easel.page.locator("select#p-connection")
    await expect(field).to_have_value("gone")
    await expect(field).to_contain_text("gone (unknown)")


async def test_policies_are_set_and_what_cannot_be_followed_is_said(hang: Hang) -> None:
    easel = await open_form(hang, a_chain(3), "mail1")
    await easel.page.get_by_text("Limits and failures").click()
    await easel.page.get_by_label("Attempts", exact=True).fill("5")
    await easel.page.get_by_label("One attempt takes at most").fill("30s")
    await easel.page.get_by_label("When it fails for good").select_option("compensate")
    spec = (await easel.saved()).nodes["mail1"]
    assert (spec.retry.max, spec.timeout.attempt, spec.on_failure) == (5, "30s", "compensate")
    await easel.page.get_by_label("Pause before the second").fill("soon")
    await expect(easel.page.locator("#said")).to_contain_text("not a duration")
    assert (await easel.saved()).nodes["mail1"].retry.delay == "2s"


async def test_a_node_is_put_into_a_container_and_out_of_it(hang: Hang) -> None:
    easel = await open_form(hang, looped(), "service")
    await easel.page.get_by_label("Stands in").select_option("again")
    await expect(easel.node("service")).to_have_attribute("data-within", "again")
    assert (await easel.saved()).nodes["service"].within == "again"
    await expect(easel.page.locator("#node-within")).to_have_value("again")
    await easel.page.get_by_label("Stands in").select_option("")
    await expect(easel.node("service")).not_to_have_attribute("data-within", "again")
    assert (await easel.saved()).nodes["service"].within is None


async def test_comments_are_made_and_settled(hang: Hang) -> None:
    easel = await open_form(hang, a_chain(2), "mail1")
    await easel.page.get_by_text("Comments", exact=True).click()
    await easel.page.get_by_label("New comment").fill("Why twice?")
    await easel.page.get_by_role("button", name="Comment", exact=True).click()
    comment = easel.page.locator(".fl-comment")
    await expect(comment).to_contain_text("Ada")
    await expect(comment).to_contain_text("Why twice?")
    await expect(easel.node("mail1").locator(".fl-mark")).to_have_count(1)
    assert len((await easel.saved()).comments("mail1")) == 1
    await comment.get_by_role("button", name="Settle").click()
    await expect(comment).to_have_count(0)
    assert (await easel.saved()).comments("mail1") == {}


async def test_the_documentation_stands_beside_the_form(hang: Hang) -> None:
    easel = await open_form(hang, a_chain(2), "mail1")
    docs = easel.page.locator(".fl-docs")
    await expect(docs).to_contain_text("mail")
    await expect(docs).to_contain_text("action.send_mail v1")


async def test_the_flow_itself_has_a_form(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    await easel.page.get_by_label("Name", exact=True).fill("Fast lane")
    await easel.page.get_by_label("What it does").fill("Mails at once")
    await easel.page.get_by_label("When a step fails for good").select_option("compensate")
    await expect(easel.page.locator("#flow-name")).to_have_text("Fast lane")
    await easel.page.get_by_label("Inputs, as JSON Schema").fill("[")
    await expect(easel.page.locator("#said")).to_contain_text("no JSON Schema")
    document = (await easel.saved()).document
    assert (document.name, document.description, document.on_failure) == (
        "Fast lane",
        "Mails at once",
        "compensate",
    )


async def test_a_node_whose_type_is_not_installed_keeps_its_parameters(hang: Hang) -> None:
    document = a_chain(2)
    document.nodes["odd"] = NodeSpec(type="no.such.type", params={"secret": "kept"})
    document.ui["odd"] = {"x": 600, "y": 120}
    easel = await open_form(hang, document, "odd")
    await expect(easel.page.locator("#panel")).to_contain_text("not installed")
    await expect(easel.page.locator("#panel")).to_contain_text("kept")
    await expect(easel.page.locator("#problems")).to_contain_text("to mend")
    await easel.page.locator("#problems summary").click()
    await easel.page.locator("#problems").get_by_role("button").first.click()
    await expect(easel.node("odd")).to_be_focused()
