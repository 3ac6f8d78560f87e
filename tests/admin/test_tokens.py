"""The page of API tokens: made and shown once, listed without secrets, revoked."""

import re

import pytest
from playwright.async_api import expect

from app.core.database import Database
from app.domain.accounts.api_tokens import find_caller
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.admin.test_looks import address, enter, faults_of  # noqa: F401 - a fixture
from tests.chromium import Contexts
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

TOKENS = "/admin/tokens"


async def make(browser: Browser, name: str, *scopes: str, lives: str = "90") -> str:
    """Send the form; returns the page."""
    answer = await browser.send_form(
        TOKENS, TOKENS, {"name": name, "scopes": list(scopes), "lives": lives}
    )
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


def secret_in(page: str) -> str | None:
    found = re.search(r"slw_[A-Za-z0-9_-]{43}", page)
    return found[0] if found else None


async def test_a_token_is_shown_once_and_works(owner: Browser, database: Database) -> None:
    secret = secret_in(await make(owner, "deployer", "runs:read", "flows:read"))
    assert secret is not None
    again = (await owner.get(TOKENS)).text
    assert secret_in(again) is None
    assert f"{secret[:10]}…" in again
    assert "never" in again
    async with database.snapshot() as tx:
        caller = await find_caller(tx, secret)
    assert caller is not None
    assert caller.scopes == {Scope.RUNS_READ, Scope.FLOWS_READ}
    assert caller.account.role is Role.OWNER


async def test_a_refused_form_keeps_what_was_typed(owner: Browser) -> None:
    page = await make(owner, "", lives="7")
    assert set(errors_of(page)) == {"name", "scopes", "lives"}
    page = await make(owner, "x" * 61, "runs:read")
    assert set(errors_of(page)) == {"name"}
    assert 'value="runs:read" checked' in page


async def test_a_role_is_offered_and_given_its_own_scopes(enter: Enter) -> None:
    finance = await enter(Role.FINANCE)
    page = (await finance.get(TOKENS)).text
    assert 'value="runs:read"' in page
    assert 'value="runs:write"' not in page
    assert set(errors_of(await make(finance, "sneaky", "runs:write"))) == {"scopes"}


async def test_only_ones_own_tokens_are_listed_and_revoked(
    owner: Browser,
    enter: Enter,
    database: Database,
) -> None:
    secret = secret_in(await make(owner, "deployer", "runs:read"))
    assert secret is not None
    async with database.snapshot() as tx:
        token = await tx.fetchval("SELECT id FROM api_token")
    other = await enter(Role.OPERATOR)
    assert "deployer" not in (await other.get(TOKENS)).text
    refused = await other.send_form(TOKENS, f"{TOKENS}/{token}/revoke")
    assert refused.status_code == 404
    done = await owner.send_form(TOKENS, f"{TOKENS}/{token}/revoke")
    assert done.headers["location"] == TOKENS
    page = (await owner.get(TOKENS)).text
    assert "The token deployer is revoked." in page
    assert "Revoked</span>" in page
    async with database.snapshot() as tx:
        assert await find_caller(tx, secret) is None


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_the_page_is_accessible_and_a_token_is_made_by_hand(
    stage: Stage,
    contexts: Contexts,
    address: str,  # noqa: F811
    size: str,
    theme: str,
) -> None:
    page = await enter(stage, contexts, address, size=size, theme=theme)
    clean = {"axe": [], "spill": 0, "broken": []}
    await page.goto(f"{address}{TOKENS}")
    assert await faults_of(page) == clean
    await page.get_by_label("Name").fill("deployer")
    await page.get_by_label("runs:read").check()
    await page.get_by_role("button", name="Make token").click()
    await expect(page.get_by_text("The token deployer is made")).to_be_visible()
    assert await faults_of(page) == clean
    await page.get_by_role("button", name="Revoke").click()
    await page.get_by_role("button", name="Revoke token").click()
    await expect(page.get_by_text("The token deployer is revoked.")).to_be_visible()
