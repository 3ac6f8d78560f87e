"""A draft is tried in the browser: dry run, pins, run until here, rehearsal; by mouse and by keys."""

from playwright.async_api import expect

from app.flows.gallery import find_template
from tests.designer.conftest import Hang
from tests.designer.test_look import look


async def test_a_draft_is_tried_pinned_and_rehearsed(hang: Hang) -> None:
    easel = await hang(find_template("dedicated-server"))
    page = easel.page
    trial = page.locator("#trial")
    # By a key: the form, then the dry run.
    await easel.focus()
    await page.keyboard.press("t")
    form = page.get_by_role("dialog", name="Dry run")
    await form.get_by_label("an input of my own").check()
    await form.get_by_label("Input, as JSON").fill("[]")
    await form.get_by_role("button", name="Run dry").click()
    await expect(form.locator("#trial-text-wrong")).to_contain_text("JSON object")
    await form.get_by_label("made-up data that fits").check()
    await form.get_by_role("button", name="Run dry").click()
    await expect(trial).to_contain_text("It comes to its end.")
    await expect(page.locator("#voice")).to_have_text("Dry run: it comes to its end. 8 effects.")
    await expect(form).to_be_hidden()
    await expect(trial).to_contain_text("Nothing real was touched")
    await expect(easel.node("install").locator(".fl-state")).to_contain_text("stand-in")
    assert await page.locator(".fl-edge.is-taken").count() >= 5
    # An effect leads to its node, which tells what happened, and whose output is pinned.
    await trial.locator('[data-pick="server"]').first.click()
    panel = page.locator('#panel[data-panel="server"]')
    await expect(panel.locator("#fold-trial")).to_contain_text("made-up data")
    await panel.get_by_role("button", name="Pin this output").click()
    await expect(easel.node("server").locator(".fl-mark")).to_have_count(1)
    await expect(trial.locator("#trial-age")).to_contain_text("older revision")
    await expect(easel.node("server").locator(".fl-state")).to_have_count(1)
    assert isinstance((await easel.saved()).pins["server"], dict)
    # The node alone, and the flow until it, by keys.
    await page.locator("#canvas").focus()
    await easel.node("server").focus()
    await page.keyboard.press("u")
    await expect(trial).to_contain_text("Dry run until")
    await expect(easel.node("server").locator(".fl-state")).to_contain_text("pinned")
    await expect(easel.node("install").locator(".fl-state")).to_have_count(0)
    await page.locator('#panel [data-do="run-this"]').click()
    await expect(trial).to_contain_text("Trial of")
    # Sample data that the node cannot give is told beside the field; it is taken away again.
    await page.locator("#node-pin").fill('{"server": 1}')
    await expect(page.locator("#node-pin-wrong")).to_contain_text("The node will not give this")
    await page.get_by_role("button", name="Unpin").click()
    await expect(easel.node("server").locator(".fl-mark")).to_have_count(0)
    assert (await easel.saved()).pins == {}
    # The rehearsal: its score, the nodes marked, and what became of each fault.
    await trial.get_by_role("button", name="Rehearse", exact=True).press("Enter")
    await expect(trial.locator(".fl-score")).to_contain_text("%")
    await expect(easel.node("install").locator(".fl-state")).to_contain_text(" of ")
    await expect(page.locator("#fold-trial")).to_contain_text("Time-out:")
    # It is there after a reload; Escape leaves the node, and then the trial.
    await easel.open()
    await expect(easel.node("install").locator(".fl-state")).to_contain_text(" of ")
    await easel.focus()
    await page.keyboard.press("Escape")
    await expect(trial).to_be_hidden()
    await expect(page.locator(".fl-state")).to_have_count(0)


async def test_trials_on_a_phone_by_touch_and_how_they_look(hang: Hang) -> None:
    easel = await hang(find_template("dedicated-server"), size="phone", theme="dark", touch=True)
    page = easel.page
    await page.get_by_role("button", name="Try").tap()
    form = page.get_by_role("dialog", name="Dry run")
    await look(page, "trial-form-phone-dark")
    await form.get_by_role("button", name="Run dry").tap()
    trial = page.locator("#trial")
    await expect(trial).to_contain_text("It comes to its end.")
    await look(page, "trial-phone-dark")
    await trial.locator("[data-pick]").first.tap()
    await expect(page.locator("#fold-trial")).to_be_in_viewport()
    await look(page, "trial-node-phone-dark")
    # The flow until a node, the node alone, and the rehearsal.
    await page.locator('#panel [data-do="run-here"]').tap()
    await expect(trial).to_contain_text("Dry run until")
    await page.locator('#panel [data-do="run-this"]').tap()
    await expect(trial).to_contain_text("Trial of")
    await page.locator("#canvas").tap(position={"x": 8, "y": 120})
    await trial.get_by_role("button", name="Rehearse", exact=True).tap()
    await expect(trial.locator(".fl-score")).to_contain_text("%")
    await page.set_viewport_size({"width": 1280, "height": 800})
    await page.emulate_media(color_scheme="light")
    await look(page, "trial-desk-light")
    # The rehearsal before shows a score already: what counts is the answer to this one.
    async with page.expect_response("**/trial") as answer:
        await trial.get_by_role("button", name="Rehearse", exact=True).click()
    assert (await answer.value).ok
    await expect(trial.locator(".fl-score")).to_contain_text("%")
    await look(page, "rehearsal-desk-light")
    await trial.get_by_role("button", name="Close").click()
    await expect(trial).to_be_hidden()
