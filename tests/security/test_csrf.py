"""Forms of other sites, of other browsers and of an older session are refused with 403."""

from litestar import Litestar

from app.core.database import Database
from app.routes.security.csrf import CSRF_COOKIE
from tests.accounts.people import PASSWORD, make_account
from tests.security.browser import Browser, csrf_of

WORDS = {"email": "ada@example.com", "password": PASSWORD}


async def test_a_form_without_its_token_is_refused(browser: Browser, database: Database) -> None:
    await make_account(database)
    await browser.get("/sign-in")
    for data in (
        WORDS,
        {**WORDS, "_csrf_token": ""},
        {**WORDS, "_csrf_token": "0" * 64},
        {**WORDS, "_csrf_token": "é"},
    ):
        refused = await browser.post("/sign-in", data=data)
        assert refused.status_code == 403
        assert "reload it and send the form again" in refused.text


async def test_a_token_without_its_cookie_is_refused(browser: Browser, database: Database) -> None:
    await make_account(database)
    token = csrf_of((await browser.get("/sign-in")).text)
    browser.cookies.clear()
    refused = await browser.post("/sign-in", data={**WORDS, "_csrf_token": token})
    assert refused.status_code == 403


async def test_a_token_of_another_browser_is_refused(
    app: Litestar, browser: Browser, database: Database
) -> None:
    await make_account(database)
    await browser.get("/sign-in")
    async with Browser(app) as other:
        token = csrf_of((await other.get("/sign-in")).text)
    refused = await browser.post("/sign-in", data={**WORDS, "_csrf_token": token})
    assert refused.status_code == 403


async def test_a_planted_cookie_does_not_help_against_someone_signed_in(
    app: Litestar, browser: Browser, database: Database
) -> None:
    """A sibling domain may plant its own valid pair of cookie and token; the session is not in it."""
    await make_account(database)
    await browser.sign_in()
    async with Browser(app) as attacker:
        token = csrf_of((await attacker.get("/sign-in")).text)
        pair = attacker.cookies[CSRF_COOKIE]
    browser.cookies.delete(CSRF_COOKIE)
    browser.cookies.set(CSRF_COOKIE, pair, domain="slipway.test", path="/")
    assert (await browser.post("/orders/new", data={"_csrf_token": token})).status_code == 403


async def test_a_form_from_before_sign_in_is_refused_after_it(
    browser: Browser, database: Database
) -> None:
    await make_account(database)
    before = csrf_of((await browser.get("/sign-up")).text)
    await browser.sign_in()
    assert (await browser.post("/orders/new", data={"_csrf_token": before})).status_code == 403
    after = csrf_of((await browser.get("/")).text)
    assert (await browser.post("/orders/new", data={"_csrf_token": after})).status_code == 200


async def test_htmx_brings_the_token_in_a_header(browser: Browser, database: Database) -> None:
    await make_account(database)
    await browser.sign_in()
    page = (await browser.get("/")).text
    token = csrf_of(page)
    assert f"&#34;x-csrftoken&#34;: &#34;{token}&#34;" in page  # what htmx inherits from the body
    sent = await browser.post("/orders/new", headers={"X-CSRFToken": token, "HX-Request": "true"})
    assert sent.status_code == 200
    sent = await browser.post("/orders/new", json={"_csrf_token": token})
    assert sent.status_code == 403


async def test_webhooks_are_not_browsers(browser: Browser) -> None:
    sent = await browser.post("/webhooks/test", content=b"signed by the gateway")
    assert (sent.status_code, sent.text) == (200, "signed by the gateway")


async def test_only_a_path_below_webhooks_is_exempt(browser: Browser, database: Database) -> None:
    await make_account(database)
    await browser.sign_in()
    sent = await browser.post("/orders/new?/webhooks/test")
    assert sent.status_code == 403


async def test_browsers_with_the_same_cookies_share_no_token(
    app: Litestar, browser: Browser, database: Database
) -> None:
    """Parsed cookies are kept by their header: what is written into them all the others have."""
    await make_account(database)
    async with Browser(app) as other:
        for one in (browser, other):
            one.cookies.set("slipway_theme", "dark")
        first, second = [csrf_of((await one.get("/sign-in")).text) for one in (browser, other)]
        assert first != second
        assert browser.cookies[CSRF_COOKIE] != other.cookies[CSRF_COOKIE]
    async with Browser(app) as third:
        third.cookies.set("slipway_theme", "dark")
        for token in (first, second):
            refused = await third.post("/sign-in", data={**WORDS, "_csrf_token": token})
            assert refused.status_code == 403
