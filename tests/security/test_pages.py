"""The pages of accounts: nothing typed is lost, errors beside fields, names are escaped."""

import re

from cryptography.hazmat.primitives import serialization as s
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from litestar import Litestar

from app.components.portal.account import browser_name
from app.core.database import Database
from app.routes.security.csrf import CSRF_COOKIE
from tests.accounts.people import PASSWORD, make_account
from tests.security.browser import Browser

SCRIPT = "<script>alert(1)</script>"


def new_key() -> str:
    key = Ed25519PrivateKey.generate().public_key()
    return key.public_bytes(s.Encoding.OpenSSH, s.PublicFormat.OpenSSH).decode()


def errors_of(page: str) -> dict[str, str]:
    """Return field id → message beside it."""
    found = re.findall(r'<p class="sw-error" id="([\w.-]+)-error"><svg.*?</svg>(.*?)</p>', page)
    return dict(found)


async def test_sign_up_signs_in_and_goes_on(browser: Browser, database: Database) -> None:
    done = await browser.send_form(
        "/sign-up?next=/orders",
        "/sign-up",
        {
            "name": "Ada",
            "email": "Ada@example.com",
            "country": "GB",
            "password": PASSWORD,
            "next": "/orders",
        },
    )
    assert (done.status_code, done.headers["location"]) == (303, "/orders")
    assert (await browser.get("/orders")).text == "ada@example.com"
    assert "Welcome, Ada." in (await browser.get("/")).text


async def test_bad_sign_up_keeps_what_was_typed(browser: Browser) -> None:
    refused = await browser.send_form(
        "/sign-up",
        "/sign-up",
        {
            "name": "Ada Lovelace",
            "email": "ada",
            "company": "Engines",
            "country": "GB",
            "password": "short-one",
            "next": "/orders",
        },
    )
    assert refused.status_code == 422
    assert set(errors_of(refused.text)) == {"email", "password"}
    for kept in ('value="Ada Lovelace"', 'value="ada"', 'value="Engines"', 'value="/orders"'):
        assert kept in refused.text
    assert re.search(r'<option value="GB" selected', refused.text)
    assert "short-one" not in refused.text
    assert 'aria-invalid="true"' in refused.text


async def test_a_taken_address_is_told_beside_the_field(
    browser: Browser, database: Database
) -> None:
    await make_account(database)
    refused = await browser.send_form(
        "/sign-up",
        "/sign-up",
        {"name": "Ada", "email": "ADA@example.com", "country": "GB", "password": PASSWORD},
    )
    assert "Sign in instead" in errors_of(refused.text)["email"]


async def test_a_post_without_any_field_is_no_accident(browser: Browser) -> None:
    assert (await browser.send_form("/sign-up", "/sign-up")).status_code == 422
    assert (await browser.send_form("/sign-in", "/sign-in")).status_code == 422


async def test_nul_characters_are_dropped(browser: Browser) -> None:
    done = await browser.send_form(
        "/sign-up",
        "/sign-up",
        {"name": "A\0da", "email": "ada@example.com", "country": "GB", "password": PASSWORD},
    )
    assert done.status_code == 303


async def test_a_name_is_shown_as_text(browser: Browser) -> None:
    await browser.send_form(
        "/sign-up",
        "/sign-up",
        {
            "name": SCRIPT,
            "email": "ada@example.com",
            "company": '"><img src=x onerror=alert(1)>',
            "country": "GB",
            "password": PASSWORD,
        },
    )
    page = (await browser.get("/account")).text  # with the greeting, too
    assert page.count("&lt;script&gt;alert(1)&lt;/script&gt;") == 2
    assert SCRIPT not in page
    assert "<img src=x" not in page


async def test_a_flash_that_was_not_made_here_is_not_shown(browser: Browser) -> None:
    await browser.get("/sign-in")
    forged = "W3sidG9uZSI6ImRhbmdlciIsInRleHQiOiJTZW5kIG1vbmV5In1d"
    nonce = browser.cookies[CSRF_COOKIE]
    for value in (f"{forged}.{'0' * 64}", forged, "%C3%A9", ".", "x.é"):
        cookie = f"{CSRF_COOKIE}={nonce}; slipway_flash={value}".encode()
        page = await browser.get("/sign-in", headers={b"Cookie": cookie})
        assert page.status_code == 200
        assert "Send money" not in page.text


async def test_details_password_and_keys_are_changed(
    app: Litestar, browser: Browser, database: Database
) -> None:
    await make_account(database)
    await browser.sign_in()
    bad = await browser.send_form(
        "/account", "/account/details", {"name": "", "company": "Engines", "country": "ZZ"}
    )
    assert bad.status_code == 422
    assert set(errors_of(bad.text)) == {"details-name", "details-country"}
    assert 'value="Engines"' in bad.text
    good = await browser.send_form(
        "/account", "/account/details", {"name": "Ada King", "company": "", "country": "GB"}
    )
    assert good.headers["location"] == "/account"
    assert "Ada King" in (await browser.get("/account")).text

    async with Browser(app) as other:
        await other.sign_in()
        bad = await browser.send_form(
            "/account", "/account/password", {"current": "nope", "new": "another good one"}
        )
        assert set(errors_of(bad.text)) == {"password-current"}
        await browser.send_form(
            "/account", "/account/password", {"current": PASSWORD, "new": "another good one"}
        )
        assert "1 other browser is signed out" in (await browser.get("/account")).text
        assert (await other.get("/orders")).status_code == 303


async def test_ssh_keys_are_added_and_only_their_owner_removes_them(
    app: Litestar, browser: Browser, database: Database
) -> None:
    await make_account(database)
    await make_account(database, "eve@example.com")
    await browser.sign_in()
    bad = await browser.send_form(
        "/account", "/account/ssh-keys", {"public_key": "ssh-rsa nonsense", "name": "laptop"}
    )
    assert set(errors_of(bad.text)) == {"ssh_key-public_key"}
    assert "ssh-rsa nonsense" in bad.text
    assert 'value="laptop"' in bad.text
    await browser.send_form(
        "/account", "/account/ssh-keys", {"public_key": new_key(), "name": "laptop"}
    )
    page = (await browser.get("/account")).text
    (remove,) = re.findall(r'action="(/account/ssh-keys/[\w-]+/remove)"', page)
    async with Browser(app) as eve:
        await eve.sign_in("eve@example.com")
        assert (await eve.send_form("/account", remove)).status_code == 404
    assert (await browser.send_form("/account", remove)).status_code == 303
    assert "/remove" not in (await browser.get("/account")).text


def test_browsers_are_called_what_people_call_them() -> None:
    edge = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0"
    assert browser_name(edge) == "Edge on Windows"
    iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Safari/604.1"
    assert browser_name(iphone) == "Safari on iPhone"
    assert browser_name("") == "Unknown browser"
