"""From the gallery to a version: drafts, differences on the canvas, publishing, throwing away."""

import hashlib
import hmac
from uuid import UUID

import pytest
from litestar import Litestar
from playwright.async_api import expect

from app.core.database import Database
from app.domain.accounts.roles import Role, is_staff
from app.flows.drafts.find import list_drafts
from app.flows.drafts.publish import publish_draft
from app.flows.gallery import find_template
from app.routes.security.csrf import CSRF_COOKIE
from app.routes.security.visit import SESSION_COOKIE
from tests.designer.conftest import Easel, Hang, marked, session_of
from tests.designer.desk import ADA, a_chain, a_desk
from tests.security.browser import Browser


async def published(easel: Easel, note: str = "first") -> None:
    async with easel.desk.database.transaction() as tx:
        rev = await easel.desk.rev()
        await publish_draft(tx, easel.desk.draft, rev=rev, note=note, by=ADA)


async def test_differences_are_coloured_on_the_canvas_with_values_before_and_after(
    hang: Hang,
) -> None:
    easel = await hang(a_chain(4))
    await published(easel)
    await easel.desk.give("set_param", node="mail1", param="template", value="welcome")
    await easel.desk.give("delete", nodes=["mail3"])
    await easel.desk.give("add_node", type="action.update_service", behind="mail2")
    await easel.open()
    await easel.page.get_by_role("button", name="Changes").click()
    panel = easel.page.get_by_role("region", name="Changes")
    await expect(panel).to_contain_text("Changes since version 1")
    await expect(easel.node("mail1")).to_have_class(marked("is-changed"))
    await expect(easel.node("update_service")).to_have_class(marked("is-added"))
    await expect(easel.page.locator("#ghosts .fl-node")).to_contain_text("Mail 3")
    changed = panel.locator(".is-changed")
    await expect(changed.locator("del")).to_have_text("nothing")
    await expect(changed.locator("ins")).to_have_text("welcome")
    await panel.get_by_role("button", name="Close").click()
    await expect(easel.node("mail1")).not_to_have_class(marked("is-changed"))
    await expect(easel.page.locator("#ghosts .fl-node")).to_have_count(0)


async def test_publishing_asks_for_a_note_and_keeps_the_draft(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    await easel.page.get_by_role("button", name="Publish…").click()
    dialog = easel.page.get_by_role("dialog", name="Publish version 1")
    await dialog.get_by_role("button", name="Publish").click()
    await expect(dialog.locator("#note-error")).to_contain_text("Say what changed")
    await dialog.get_by_label("What changed, and why").fill("The first one")
    await dialog.get_by_role("button", name="Publish").click()
    await expect(easel.page.get_by_text("Version 1 is published.")).to_be_visible()
    await expect(easel.page.get_by_text("draft of version 1")).to_be_visible()
    async with easel.desk.database.snapshot() as tx:
        row = await tx.fetchrow("SELECT number, note FROM flow_version")
    assert row is not None
    assert (row["number"], row["note"]) == (1, "The first one")
    await easel.page.get_by_role("button", name="Publish…").click()
    dialog = easel.page.get_by_role("dialog", name="Publish version 2")
    await expect(dialog).to_contain_text("Nothing that runs differs")
    await easel.page.keyboard.press("Escape")
    await easel.desk.give("add_node", type="action.allocate_server", behind="mail2")
    await easel.open()
    await easel.page.get_by_role("button", name="Publish…").click()
    await expect(dialog).to_contain_text("Nodes: 1 new. Edges: 1 new.")


async def test_what_cannot_run_says_what_to_mend_instead(hang: Hang) -> None:
    easel = await hang(a_chain(3))
    await easel.desk.give("disconnect", edges=[["paid.out", "mail1.in"]])
    await easel.page.get_by_role("button", name="Publish…").click()
    dialog = easel.page.get_by_role("dialog", name="Publish version 1")
    await expect(dialog).to_contain_text("nothing leads to it")
    await dialog.get_by_role("button", name="Mend it").click()
    await expect(dialog).to_be_hidden()


async def test_a_draft_is_thrown_away(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    await easel.page.get_by_label("More", exact=True).click()
    await easel.page.get_by_role("button", name="Throw the draft away").click()
    await easel.page.get_by_role("button", name="Throw it away").click()
    await expect(easel.page.get_by_text("The draft of test is thrown away.")).to_be_visible()
    async with easel.desk.database.snapshot() as tx:
        assert await list_drafts(tx) == []


async def test_a_new_flow_begins_from_the_gallery(hang: Hang) -> None:
    easel = await hang(a_chain(1))
    page = easel.page
    await page.goto(f"{easel.address}/designer")
    await expect(page.locator(".fl-template svg").first).to_be_visible()
    await page.get_by_role("link", name="Dedicated server", exact=True).click()
    await page.get_by_label("Name", exact=True).fill("")
    await page.get_by_role("button", name="Create the draft").click()
    await expect(page.locator("#name-error")).to_contain_text("Give the flow a name")
    await page.get_by_label("Name", exact=True).fill("Fast servers")
    await page.get_by_role("button", name="Create the draft").click()
    await page.locator("#canvas[data-ready]").wait_for()
    template = find_template("dedicated-server")
    await expect(page.locator(".fl-node")).to_have_count(len(template.nodes))
    await expect(page.locator(".fl-frame")).to_have_count(1)
    async with easel.desk.database.snapshot() as tx:
        assert {row.slug for row in await list_drafts(tx)} == {"test", "fast-servers"}


async def test_a_published_flow_is_opened_from_the_list(hang: Hang) -> None:
    easel = await hang(a_chain(2))
    await published(easel)
    await easel.page.get_by_label("More", exact=True).click()
    await easel.page.get_by_role("button", name="Throw the draft away").click()
    await easel.page.get_by_role("button", name="Throw it away").click()
    await easel.page.get_by_role("button", name="Edit").click()
    await easel.page.locator("#canvas[data-ready]").wait_for()
    await expect(easel.page.get_by_text("draft of version 1")).to_be_visible()


NO_RUN = UUID(int=7)
WAYS = (
    ("GET", "/designer"),
    ("GET", "/designer/new"),
    ("POST", "/designer/new"),
    ("POST", "/designer/flows/test/open"),
    ("GET", "{draft}"),
    ("GET", "{draft}/changes?since=0"),
    ("GET", "{draft}/problems"),
    ("GET", "{draft}/outline"),
    ("GET", "{draft}/panel"),
    ("GET", "{draft}/copy?chosen=paid"),
    ("GET", "{draft}/nodes/mail1/fields/template"),
    ("POST", "{draft}/aid"),
    ("POST", "{draft}/commands"),
    ("GET", "{draft}/people"),
    ("POST", "{draft}/here"),
    ("GET", "{draft}/diff"),
    ("GET", "{draft}/publish"),
    ("POST", "{draft}/publish"),
    ("GET", "{draft}/trial"),
    ("GET", "{draft}/trial/ask"),
    ("POST", "{draft}/trial"),
    ("POST", "{draft}/trial/rehearse"),
    ("POST", "{draft}/trial/close"),
    ("POST", "{draft}/discard"),
    ("POST", "/designer/runs/{run}/debug"),
)
LOOKS = ("/designer/runs/{run}", "/designer/runs/{run}/now", "/designer/runs/{run}/panel")
"""What all of the staff may look at."""


@pytest.mark.parametrize("role", Role)
async def test_only_designers_and_owners_draw(
    app: Litestar, database: Database, role: Role
) -> None:
    desk = await a_desk(database, a_chain(2))
    async with Browser(app) as browser:
        browser.cookies.set(SESSION_COOKIE, await session_of(database, role, "Someone"))
        await browser.get("/designer")
        token = csrf_of(browser)
        may = role in (Role.DESIGNER, Role.OWNER)
        for method, path in WAYS:
            where = path.format(draft=f"/designer/drafts/{desk.draft}", run=NO_RUN)
            sent = await browser.request(method, where, headers={"X-CSRFToken": token})
            if may:
                assert (where, sent.status_code < 500) == (where, True)
                assert sent.status_code not in (403, 404) or path.endswith(
                    ("/open", "/aid", "/debug")
                )
            else:
                wanted = 403 if is_staff(role) else 404
                assert (where, sent.status_code) == (where, wanted)
        for path in LOOKS:
            seen = await browser.get(path.format(run=NO_RUN))
            assert seen.status_code != 403
            assert is_staff(role) or seen.status_code == 404


async def test_every_route_of_the_designer_is_walked_above(app: Litestar) -> None:
    routes = {
        (method, route.path)
        for route in app.routes
        if route.path.startswith("/designer")
        for method in getattr(route, "methods", ())
        if method in {"GET", "POST"}
    }
    assert len(routes) == len(WAYS) + len(LOOKS)


def csrf_of(browser: Browser) -> str:
    nonce = browser.cookies.get(CSRF_COOKIE, "")
    session = browser.cookies[SESSION_COOKIE]
    return hmac.new(nonce.encode(), f"csrf:{session}".encode(), hashlib.sha256).hexdigest()
