"""Invoices: lines, tax, totals, payments, and the way to pay."""

from app.core.database import Database
from app.domain.accounts.views import AccountView
from app.domain.orders.cancel import cancel_own
from tests.portal.world import ordered, pay
from tests.security.browser import Browser


async def test_an_open_invoice_has_lines_tax_total_and_the_way_to_pay(
    client: Browser, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        order = await ordered(tx, ada, extra_ipv4="2")
    here = f"/invoices/{order.invoice_id}"
    page = (await client.get(here)).text
    for words in (
        "Acme Metal",
        "Germany",
        "ada@example.com",
        "Metal S",
        "Operating system: Debian 12",
        "€2.50",
        "Tax 19 %",
        "€64.00",
        "€12.16",
        "€76.16",
        "To pay",
        f'href="{here}/pay"',
        f'href="/orders/{order.id}"',
    ):
        assert words in page, words
    assert "Payments" not in page
    fragment = (await client.get(f"{here}/sheet")).text
    assert fragment.startswith('<div id="invoice"')
    assert fragment in page


async def test_a_paid_invoice_shows_its_payment_and_no_way_to_pay(
    client: Browser, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        order = await ordered(tx, ada)
        await pay(tx, order)
    here = f"/invoices/{order.invoice_id}"
    page = (await client.get(here)).text
    assert "Bank transfer" in page
    assert "received" in page
    assert f'href="{here}/pay"' not in page
    assert "-€70.21" in page


async def test_a_void_invoice_asks_for_nothing(
    client: Browser, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        order = await ordered(tx, ada)
        await cancel_own(tx, order.id, account=ada.id, actor_label=ada.email)
    page = (await client.get(f"/invoices/{order.invoice_id}")).text
    assert "Void" in page
    assert "/pay" not in page


async def test_the_list_begins_empty_and_tells_what_is_to_pay(
    client: Browser, database: Database, ada: AccountView
) -> None:
    assert "No invoices yet" in (await client.get("/invoices")).text
    async with database.transaction() as tx:
        await ordered(tx, ada)
    page = (await client.get("/invoices")).text
    assert page.count("€70.21") == 2
    assert (await client.get("/invoices/rows?page=1")).text in page
