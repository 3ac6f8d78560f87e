"""A client in a real browser: from the catalogue to a placed order, and its delivery live."""

import pytest
from playwright.async_api import Page

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from app.domain.orders.find import orders_of
from tests.accounts.people import PASSWORD
from tests.axe import violations
from tests.chromium import WATCH, Contexts
from tests.portal.conftest import Site
from tests.portal.world import a_key, deliver, ordered, pay

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


async def open_browser(contexts: Contexts, size: str = "desk", theme: str = "light") -> Page:
    width, height = SIZES[size]
    context = await contexts(
        viewport={"width": width, "height": height}, color_scheme=theme, reduced_motion="reduce"
    )
    page = await context.new_page()
    await page.add_init_script(WATCH)
    return page


async def sign_in(page: Page, site: Site) -> None:
    await page.goto(site.url("/sign-in"))
    await page.get_by_label("E-mail address").fill("ada@example.com")
    await page.get_by_label("Password", exact=True).fill(PASSWORD)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(site.url("/"))


async def check(page: Page) -> None:
    """The page holds its policy and its width, and axe finds nothing of weight."""
    assert await violations(page) == []
    assert await page.evaluate("broken") == []
    assert await page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


async def test_from_the_catalogue_to_a_placed_order(
    site: Site, contexts: Contexts, database: Database, ada: AccountView
) -> None:
    page = await open_browser(contexts)
    await sign_in(page, site)
    await page.get_by_role("link", name="Metal S").click()
    total = page.locator(".sw-price-total dd")
    assert await total.inner_text() == "€70.21"

    # The price follows every click, also quick ones: the last answer counts.
    more = page.get_by_role("button", name="More: Additional IPv4 addresses")
    for _ in range(3):
        await more.click()
    await page.get_by_text("€79.14", exact=True).wait_for()
    assert await page.locator("#extra_ipv4").input_value() == "3"
    await page.get_by_text("Yearly").click()
    await page.get_by_text("€807.18", exact=True).wait_for()
    await page.get_by_label("Currency").select_option("USD")
    await page.locator(".sw-price-total dd", has_text="$").wait_for()
    assert await page.locator("#options").get_by_text("+$28.05").count() == 1
    await page.get_by_label("Currency").select_option("EUR")
    await page.get_by_text("Monthly").click()
    await page.get_by_text("€79.14", exact=True).wait_for()

    # What is typed elsewhere stays while prices change, and errors come beside their fields.
    await page.get_by_label("Host name").fill("web_1")
    await page.get_by_label("SSH public key").fill("nonsense")
    await page.get_by_text("Cockpit").click()
    await page.locator("#price").get_by_text("Cockpit").wait_for()
    assert await page.get_by_label("Host name").input_value() == "web_1"
    await page.get_by_role("button", name="Order and pay").click()
    summary = page.get_by_role("alert")
    await summary.wait_for()
    assert await summary.evaluate("node => node === document.activeElement")
    assert "letters a to z" in await page.locator("#hostname-error").inner_text()
    assert "begins with its kind" in await page.locator("#ssh_key-error").inner_text()
    assert await page.get_by_label("SSH public key").input_value() == "nonsense"
    assert await page.get_by_label("Cockpit").is_checked()
    assert await page.locator("#extra_ipv4").input_value() == "3"

    await page.get_by_role("link", name="Host name:").click()
    await page.keyboard.press("Control+A")
    await page.keyboard.type("web1.example.org")
    await page.get_by_label("SSH public key").fill("")
    await page.get_by_role("button", name="Order and pay").click()
    await page.wait_for_url("**/invoices/*/pay")
    async with database.snapshot() as tx:
        (order,) = (await orders_of(tx, ada.id)).items
    assert order.hostname == "web1.example.org"
    assert order.selection.extra_ipv4 == 3
    assert order.total_minor == 7_914


async def test_a_delivery_is_watched_live(
    site: Site, contexts: Contexts, database: Database, ada: AccountView, vault: Vault
) -> None:
    async with database.transaction() as tx:
        order = await ordered(tx, ada)
    page = await open_browser(contexts)
    await sign_in(page, site)
    await page.goto(site.url(f"/orders/{order.id}"))
    await page.get_by_text("Reserved for you").wait_for()
    await page.locator("#live-state[data-state=live]").wait_for()
    async with database.transaction() as tx:
        await pay(tx, order)
    await page.get_by_text("Paid, and about to start").wait_for()
    async with database.transaction() as tx:
        await deliver(tx, vault, order)
    await page.get_by_role("link", name="Open your server").click()

    await page.get_by_role("button", name="Show the password").click()
    await page.get_by_role("dialog").get_by_role("button", name="Show it").click()
    await page.get_by_text("This is the only time it is shown here").wait_for()
    copy = page.get_by_role("button", name="Copy password")
    assert len(await copy.get_attribute("data-copy") or "") >= 12
    assert await page.evaluate("broken") == []


async def test_the_catalogue_follows_the_stock(
    site: Site, contexts: Contexts, database: Database, ada: AccountView
) -> None:
    page = await open_browser(contexts)
    await page.goto(site.url("/"))
    small = page.get_by_role("article").filter(has_text="Metal S")
    await small.get_by_text("5 available").wait_for()
    await page.locator("#live-state[data-state=live]").wait_for()
    async with database.transaction() as tx:
        await ordered(tx, ada)
        tx.publish("stock")
    await small.get_by_text("4 available").wait_for()


async def test_an_invoice_on_paper_is_the_sheet_alone(
    site: Site, contexts: Contexts, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        order = await ordered(tx, ada)
    page = await open_browser(contexts)
    await sign_in(page, site)
    await page.goto(site.url(f"/invoices/{order.invoice_id}"))
    await page.emulate_media(media="print")
    for gone in (".sw-header", ".sw-footer", ".sw-sheet-actions"):
        assert not await page.locator(gone).is_visible()
    assert await page.locator(".sw-sheet").is_visible()


@pytest.mark.parametrize(("size", "theme"), [("desk", "dark"), ("phone", "light")])
async def test_every_page_is_accessible_within_the_policy_and_the_width(
    site: Site,
    contexts: Contexts,
    database: Database,
    ada: AccountView,
    vault: Vault,
    size: str,
    theme: str,
) -> None:
    await a_key(database, ada)
    async with database.transaction() as tx:
        unpaid = await ordered(tx, ada, hostname="unpaid.example.org")
        order = await ordered(tx, ada, panel="cockpit", extra_ipv4="2")
        await pay(tx, order)
        service = await deliver(tx, vault, order)
    page = await open_browser(contexts, size, theme)
    for path in ("/", "/products/metal-s"):
        await page.goto(site.url(path))
        await check(page)
    await sign_in(page, site)
    for path in (
        "/",
        "/products/metal-l",
        "/orders",
        f"/orders/{unpaid.id}",
        f"/orders/{unpaid.id}/cancel",
        f"/orders/{order.id}",
        "/services",
        f"/services/{service}",
        "/invoices",
        f"/invoices/{order.invoice_id}",
    ):
        await page.goto(site.url(path))
        await check(page)
    await page.goto(site.url("/products/metal-s"))
    await page.get_by_role("button", name="Order and pay").click()
    await page.get_by_role("alert").wait_for()
    await check(page)
