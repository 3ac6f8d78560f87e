"""The order form: prices as one chooses, bad input, visitors, and the order itself."""

import html
import re
from urllib.parse import parse_qs, urlsplit

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.domain.accounts.views import AccountView
from app.domain.orders.find import find_order, orders_of
from app.domain.orders.views import OrderView
from tests.portal.world import FORM, KEY, a_key, ordered
from tests.security.browser import Browser, csrf_of

HERE = "/products/metal-s"


async def post(browser: Browser, what: str = "order", **typed: str | list[str]) -> tuple[int, str]:
    """Send the form with `typed` in place of what is good; returns status, and page or address."""
    page = (await browser.get(HERE)).text
    values = {**FORM, "idempotency_key": key_of(page), **typed}
    answer = await browser.post(f"{HERE}/{what}", data={"_csrf_token": csrf_of(page), **values})
    return answer.status_code, answer.headers.get("location", answer.text)


def key_of(page: str) -> str:
    found = re.search(r'name="idempotency_key" value="([^"]+)"', page)
    assert found is not None
    return found[1]


async def all_orders(database: Database, ada: AccountView) -> tuple[OrderView, ...]:
    async with database.snapshot() as tx:
        return (await orders_of(tx, ada.id)).items


def error_of(page: str, field: str) -> str:
    """Return the message beside a field."""
    found = re.search(rf'<p[^>]*id="{field}-error">.*?</svg>(.*?)</p>', page, re.DOTALL)
    return html.unescape(found[1]) if found else ""


async def test_the_price_follows_the_choices_with_the_tax_of_the_client(client: Browser) -> None:
    status, panel = await post(client, "price", extra_ipv4="2", hostname="still typing!")
    assert status == 200
    assert panel.startswith('<div id="price"')
    # (59.00 + 2 x 2.50) x 1.19
    assert "€76.16" in panel
    assert "Tax 19 %" in panel
    assert "× 2" in panel
    # What costs something else now comes along out of band, and nothing that is typed does.
    assert 'id="options" class="sw-stack" hx-swap-oob="outerMorph"' in panel
    assert 'name="hostname"' not in panel
    assert 'name="ssh_key"' not in panel


async def test_the_options_are_priced_in_the_chosen_cycle_and_currency(client: Browser) -> None:
    _, panel = await post(client, "price", cycle="yearly", currency="USD", extra_ipv4="1")
    assert "$28.05" in panel
    assert "/year" in panel
    assert "€" not in panel


async def test_set_up_is_due_once(client: Browser) -> None:
    page = (await client.get("/products/metal-l")).text
    assert "Set-up, once" in page
    assert "€283.22" in page  # (189 + 49) x 1.19
    assert "€224.91" in page  # 189 x 1.19


async def test_a_visitor_sees_prices_before_tax(visitor: Browser) -> None:
    page = (await visitor.get(HERE)).text
    assert "Before tax" in page
    assert "Tax 19 %" not in page
    assert "Sign up to order" in page


async def test_a_bad_number_is_told_at_once_beside_its_field(client: Browser) -> None:
    status, panel = await post(client, "price", extra_ipv4="9")
    assert status == 200
    assert "No price yet" in panel
    assert error_of(panel, "extra_ipv4") == "From 0 to 8 can be ordered."
    assert 'value="9"' in panel


async def test_every_bad_field_has_its_message_and_nothing_typed_is_lost(
    client: Browser, database: Database, ada: AccountView
) -> None:
    typed: dict[str, str] = {
        "hostname": 'web_1<script>alert("x")</script>',
        "ssh_key": "not a key </textarea>",
        "os": "windows-95",
        "datacentre": "moon1",
        "extra_ipv4": "many",
        "panel": "plesk",
        "cycle": "hourly",
        "currency": "BTC",
    }
    status, page = await post(client, **typed)
    assert status == 422
    for field in typed:
        assert error_of(page, field), field
    for field in ("hostname", "ssh_key", "extra_ipv4"):
        assert html.escape(typed[field]).replace("&quot;", "&#34;") in page
    assert "<script>alert" not in page
    assert "8 fields need another look" in page
    assert await all_orders(database, ada) == ()


@pytest.mark.parametrize(
    ("hostname", "word"),
    [("", "Enter a host name"), ("-a", "hyphen"), ("a" * 64, "63"), ("a b", "a space")],
)
async def test_a_bad_host_name_is_explained(client: Browser, hostname: str, word: str) -> None:
    status, page = await post(client, hostname=hostname)
    assert status == 422
    assert word in error_of(page, "hostname")
    assert f'value="{hostname}"' in page


async def test_an_order_is_placed_and_leads_to_its_payment(
    client: Browser, database: Database, ada: AccountView
) -> None:
    key = await a_key(database, ada)
    status, where = await post(
        client,
        ssh_keys=[str(key.id)],
        extra_ipv4="2",
        datacentre="fra1",
        panel="cockpit",
        cycle="quarterly",
    )
    assert status == 303
    (order,) = await all_orders(database, ada)
    assert where == f"/invoices/{order.invoice_id}/pay"
    assert order.state == "awaiting_payment"
    assert order.hold_expires_at is not None
    assert order.server_name is not None
    assert order.server_name.startswith("fra1")
    assert order.selection.extra_ipv4 == 2
    assert order.selection.panel == "cockpit"
    assert order.selection.ssh_keys == (key.public_key,)
    assert order.total_minor == 21_705  # (168.15 + 2 x 7.12) x 1.19, tax line by line
    async with database.snapshot() as tx:
        assert (await find_order(tx, order.id, account=ada.id)).cycle == "quarterly"


async def test_a_form_sent_twice_is_one_order(
    client: Browser, database: Database, ada: AccountView
) -> None:
    first = await post(client, idempotency_key="the-same")
    assert await post(client, idempotency_key="the-same") == first
    assert first[0] == 303
    assert len(await all_orders(database, ada)) == 1


async def test_a_key_that_comes_back_with_other_choices_is_told(
    client: Browser, database: Database, ada: AccountView
) -> None:
    await post(client, idempotency_key="the-same")
    status, page = await post(client, idempotency_key="the-same", os="debian-13")
    assert status == 409
    assert "already sent and became order" in page
    assert key_of(page) != "the-same"
    assert len(await all_orders(database, ada)) == 1


async def test_no_key_at_all_still_orders(
    client: Browser, database: Database, ada: AccountView
) -> None:
    assert (await post(client, idempotency_key=""))[0] == 303
    assert (await post(client, idempotency_key="x" * 101))[0] == 303
    assert len(await all_orders(database, ada)) == 2


async def test_sold_out_is_told_before_paying_with_what_else_there_is(
    client: Browser, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        for number in range(2):
            await ordered(tx, ada, datacentre="fra1", hostname=f"h{number}")
    status, page = await post(client, datacentre="fra1", hostname="third.example.org")
    assert status == 409
    assert "sold out in this configuration, and nothing was charged" in page
    assert "Metal S in Amsterdam: 3 free" in page
    assert "datacentre=ams1" in page
    assert "Metal M: 1 in Amsterdam" in page
    assert "Metal L:" not in page
    assert 'value="third.example.org"' in page
    assert len(await all_orders(database, ada)) == 2


async def test_the_panel_warns_of_a_place_that_is_sold_out(
    client: Browser, database: Database, ada: AccountView
) -> None:
    async with database.transaction() as tx:
        for number in range(2):
            await ordered(tx, ada, datacentre="fra1", hostname=f"h{number}")
    _, panel = await post(client, "price", datacentre="fra1")
    assert "Sold out at the moment; 3 in Amsterdam available." in panel
    _, panel = await post(client, "price", datacentre="")
    assert "Sold out at the moment" not in panel


@pytest.mark.parametrize(("way", "page"), [("sign-up", "/sign-up"), ("sign-in", "/sign-in")])
async def test_a_visitors_choices_are_kept_through_sign_up(
    visitor: Browser, ada: AccountView, way: str, page: str
) -> None:
    status, where = await post(
        visitor, way=way, os="almalinux-9", extra_ipv4="3", ssh_key=KEY, hostname="web.example.org"
    )
    assert status == 303
    parts = urlsplit(where)
    assert parts.path == page
    (back,) = parse_qs(parts.query)["next"]
    form = (await visitor.get(where)).text
    assert html.escape(back) in form
    kept = (await visitor.get(back)).text
    assert re.search(r'value="almalinux-9" checked', kept)
    assert 'value="3"' in kept
    assert 'value="web.example.org"' in kept
    assert KEY in kept
    answer = await visitor.post(
        "/sign-in",
        data={
            "_csrf_token": csrf_of(kept),
            "email": ada.email,
            "password": "correct horse battery",
            "next": back,
        },
    )
    assert answer.headers["location"] == back


async def test_a_visitor_is_told_of_bad_input_before_signing_up(visitor: Browser) -> None:
    status, page = await post(visitor, way="sign-up", hostname="")
    assert status == 422
    assert error_of(page, "hostname")


async def test_a_key_too_long_to_be_carried_along_is_left_behind(visitor: Browser) -> None:
    long_key = f"{KEY} {'x' * 1900}"
    status, where = await post(visitor, way="sign-up", ssh_key=long_key)
    assert status == 303
    (back,) = parse_qs(urlsplit(where).query)["next"]
    assert "hostname=db1.example.org" in back
    assert "ssh_key" not in back


async def test_another_clients_key_cannot_be_chosen(
    client: Browser, database: Database, ada: AccountView
) -> None:
    stranger = "0192f0c0-0000-7000-8000-000000000000"
    status, page = await post(client, ssh_keys=[stranger])
    assert status == 422
    assert "not in your list" in error_of(page, "ssh_key")


async def test_an_unknown_product_is_not_found(client: Browser) -> None:
    assert (await client.get("/products/nothing")).status_code == 404
    assert (await client.get("/products/nothing/stock")).status_code == 404


async def test_a_product_without_a_price_is_shown_and_not_sold(
    client: Browser, database: Database
) -> None:
    async with database.transaction() as tx:
        await tx.execute("DELETE FROM product_price")
    page = (await client.get(HERE)).text
    assert "no price yet" in page
    assert 'id="order"' not in page
    assert "Metal S" in (await client.get("/")).text


async def test_the_hold_lasts_as_long_as_the_provider_says(
    client: Browser, database: Database, ada: AccountView, clock: SetClock
) -> None:
    assert "reserved for 30 minutes" in (await client.get(HERE)).text
    await post(client)
    (order,) = await all_orders(database, ada)
    assert order.hold_expires_at is not None
    assert (order.hold_expires_at - clock.now()).total_seconds() == 1_800
