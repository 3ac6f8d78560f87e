"""Who gets where, and what the others are told: pages, fragments, event streams, APIs."""

import pytest
from litestar import Litestar

from app.core.database import Database
from app.domain.accounts.roles import Role
from app.routes.security.next_page import safe_next
from tests.accounts.people import make_account
from tests.security.browser import Browser


async def test_a_page_leads_to_sign_in_and_back(browser: Browser, database: Database) -> None:
    await make_account(database)
    asked = await browser.get("/orders?page=2&q=a%20b")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/sign-in?next=/orders%3Fpage%3D2%26q%3Da%2520b"
    form = await browser.get(asked.headers["location"])
    assert 'name="next" value="/orders?page=2&amp;q=a%20b"' in form.text
    done = await browser.send_form(
        asked.headers["location"],
        "/sign-in",
        {
            "email": "ada@example.com",
            "password": "correct horse battery",
            "next": "/orders?page=2&q=a%20b",
        },
    )
    assert done.headers["location"] == "/orders?page=2&q=a%20b"


async def test_a_fragment_tells_htmx_to_leave_the_page(browser: Browser) -> None:
    asked = await browser.get(
        "/orders",
        headers={"HX-Request": "true", "HX-Current-URL": "http://slipway.test/services/7?tab=a"},
    )
    assert asked.status_code == 401
    assert asked.headers["hx-redirect"] == "/sign-in?next=/services/7%3Ftab%3Da"


async def test_a_page_of_another_site_is_not_gone_back_to(browser: Browser) -> None:
    asked = await browser.get(
        "/orders", headers={"HX-Request": "true", "HX-Current-URL": "https://evil.test//evil.test"}
    )
    assert asked.headers["hx-redirect"] == "/sign-in"


@pytest.mark.parametrize("accept", ["application/json", "text/event-stream"])
async def test_who_is_no_browser_page_gets_a_problem(browser: Browser, accept: str) -> None:
    asked = await browser.get("/orders", headers={"Accept": accept})
    assert asked.status_code == 401
    assert asked.headers["content-type"] == "application/problem+json"
    assert asked.json()["code"] == "security.sign_in_needed"


async def test_admin_does_not_exist_for_clients(
    app: Litestar, browser: Browser, database: Database
) -> None:
    await make_account(database)
    await make_account(database, "op@example.com", role=Role.OPERATOR)
    assert (await browser.get("/admin")).headers["location"] == "/sign-in?next=/admin"
    await browser.sign_in()
    hidden, missing = await browser.get("/admin"), await browser.get("/nothing-here")
    assert hidden.status_code == missing.status_code == 404
    assert "Nothing at this address" in hidden.text
    async with Browser(app) as staff:
        await staff.sign_in("op@example.com")
        assert (await staff.get("/admin")).text == "admin of op@example.com"
        lacking = await staff.get("/admin/invoices")
        assert lacking.status_code == 403
        assert "invoices.change" in lacking.text


@pytest.mark.parametrize(
    "wanted",
    [
        "", "orders", "//evil.test", "/\\evil.test", "/\t/evil.test", "/\n/evil.test",
        "https://evil.test/", "javascript:alert(1)", "/a\\b", "/a b", "/" + "a" * 2000,
    ],
)  # fmt: skip
def test_only_pages_of_ours_are_gone_on_to(wanted: str) -> None:
    assert safe_next(wanted, "default") == "default"


def test_a_page_of_ours_is_gone_on_to() -> None:
    assert safe_next("/orders/new?plan=s&cycle=12#top", "/") == "/orders/new?plan=s&cycle=12#top"


async def test_a_foreign_next_is_dropped_on_sign_in(browser: Browser, database: Database) -> None:
    await make_account(database)
    for foreign in ("//evil.test", "https://evil.test/", "/\\evil.test"):
        done = await browser.send_form(
            "/sign-in",
            "/sign-in",
            {"email": "ada@example.com", "password": "correct horse battery", "next": foreign},
        )
        assert done.headers["location"] == "/"
        await browser.send_form("/", "/sign-out")


@pytest.mark.parametrize("htmx", [False, True])
async def test_a_page_with_letters_of_any_script_is_gone_on_to(
    browser: Browser, database: Database, htmx: bool
) -> None:
    """A header holds no such letters; the page's address is quoted in both."""
    await make_account(database)
    done = await browser.send_form(
        "/sign-in",
        "/sign-in",
        {
            "email": "ada@example.com",
            "password": "correct horse battery",
            "next": "/products/größe?stadt=日本&rate=5%25",
        },
        headers={"HX-Request": "true"} if htmx else {},
    )
    assert done.status_code == (200 if htmx else 303)
    assert (
        done.headers["hx-redirect" if htmx else "location"]
        == "/products/gr%C3%B6%C3%9Fe?stadt=%E6%97%A5%E6%9C%AC&rate=5%25"
    )
