"""Sessions at the edge: cookies' flags, fixation, expiry, sign-out, disabled accounts."""

from http.cookies import SimpleCookie

import httpx
import pytest
from litestar import Litestar

from app.core.clock import SetClock
from app.core.database import Database
from app.domain.accounts.disable import disable
from app.domain.accounts.roles import Role
from app.routes.security.visit import SESSION_COOKIE
from tests.accounts.people import make_account
from tests.security.browser import Browser
from tests.security.conftest import AppMaker


def cookies_of(response: httpx.Response) -> SimpleCookie:
    cookies = SimpleCookie()
    for line in response.headers.get_list("set-cookie"):
        cookies.load(line)
    return cookies


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_cookies_are_out_of_reach(
    make_app: AppMaker, database: Database, scheme: str
) -> None:
    await make_account(database)
    base_url = f"{scheme}://slipway.test"
    async with Browser(make_app(base_url=base_url), base_url=base_url) as browser:
        first = cookies_of(await browser.get("/sign-in"))
        signed_in = cookies_of(await browser.sign_in())
    assert set(first) == {"slipway_csrf"}
    for cookie in (first["slipway_csrf"], signed_in[SESSION_COOKIE]):
        assert cookie["httponly"]
        assert cookie["samesite"] == "lax"
        assert cookie["path"] == "/"
        assert cookie["domain"] == ""
        assert bool(cookie["secure"]) == (scheme == "https")


async def test_a_visit_without_a_form_sets_no_cookie(browser: Browser) -> None:
    assert "set-cookie" not in (await browser.get("/costly")).headers


async def test_a_planted_session_is_not_taken_over(
    app: Litestar, browser: Browser, database: Database
) -> None:
    """Session fixation: the token known before sign-in is worth nothing after it."""
    await make_account(database)
    await make_account(database, "eve@example.com", name="Eve")
    async with Browser(app) as eve:
        await eve.sign_in("eve@example.com")
        planted = eve.cookies[SESSION_COOKIE]
        browser.cookies.set(SESSION_COOKIE, planted, domain="slipway.test", path="/")
        # Signed in as Eve the form would lead away: post it as a page opened before would.
        page = (await browser.get("/orders/none")).text
        assert "404" in page
        form = await browser.get("/")
        token = form.text.split('name="_csrf_token" value="')[1].split('"')[0]
        done = await browser.post(
            "/sign-in",
            data={
                "_csrf_token": token,
                "email": "ada@example.com",
                "password": "correct horse battery",
            },
        )
        assert done.status_code == 303
        assert browser.cookies[SESSION_COOKIE] != planted
        assert (await browser.get("/orders")).text == "ada@example.com"
        assert (await eve.get("/orders")).status_code == 303


async def test_an_invented_token_is_nobody(browser: Browser) -> None:
    browser.cookies.set(SESSION_COOKIE, "x" * 43, domain="slipway.test", path="/")
    assert (await browser.get("/orders")).headers["location"] == "/sign-in?next=/orders"


async def test_a_session_ends_by_the_clock(
    browser: Browser, database: Database, clock: SetClock
) -> None:
    await make_account(database)
    await browser.sign_in()
    clock.advance(days=13)
    assert (await browser.get("/orders")).status_code == 200
    clock.advance(days=13)
    assert (await browser.get("/orders")).status_code == 200
    clock.advance(days=14)
    assert (await browser.get("/orders")).status_code == 303


async def test_a_disabled_account_is_out_at_once(browser: Browser, database: Database) -> None:
    account = await make_account(database)
    await browser.sign_in()
    async with database.transaction() as tx:
        await disable(tx, account.id, actor=None, actor_label="test", reason="abuse")
    assert (await browser.get("/orders")).status_code == 303
    browser.cookies.delete(SESSION_COOKIE)
    refused = await browser.sign_in()
    assert refused.status_code == 403
    assert "This account is disabled" in refused.text
    assert SESSION_COOKIE not in cookies_of(refused)


async def test_sign_out_ends_the_session_on_the_server(
    browser: Browser, database: Database
) -> None:
    await make_account(database)
    await browser.sign_in()
    token = browser.cookies[SESSION_COOKIE]
    out = await browser.send_form("/", "/sign-out")
    assert out.status_code == 303
    assert SESSION_COOKIE not in browser.cookies
    assert "You are signed out." in (await browser.get("/sign-in")).text
    assert "You are signed out." not in (await browser.get("/sign-in")).text
    browser.cookies.set(SESSION_COOKIE, token, domain="slipway.test", path="/")
    assert (await browser.get("/orders")).status_code == 303


async def test_sign_out_everywhere(app: Litestar, browser: Browser, database: Database) -> None:
    await make_account(database)
    async with Browser(app) as other:
        await other.sign_in()
        await browser.sign_in()
        assert (await other.get("/orders")).status_code == 200
        await browser.send_form("/account", "/sign-out/everywhere")
        assert (await other.get("/orders")).status_code == 303
        assert (await browser.get("/orders")).status_code == 303


async def test_pages_of_someone_signed_in_are_not_kept(
    browser: Browser, database: Database
) -> None:
    await make_account(database)
    assert (await browser.get("/")).headers["cache-control"] == "no-cache"
    await browser.sign_in()
    assert (await browser.get("/")).headers["cache-control"] == "no-store"


async def test_staff_begin_at_admin_and_clients_at_the_catalogue(
    app: Litestar, browser: Browser, database: Database
) -> None:
    await make_account(database)
    await make_account(database, "op@example.com", role=Role.OPERATOR)
    assert (await browser.sign_in()).headers["location"] == "/"
    async with Browser(app) as other:
        assert (await other.sign_in("op@example.com")).headers["location"] == "/admin"
