"""An order's page at every stage of its way, and giving it up."""

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from app.domain.inventory.confirm import begin_provisioning
from app.domain.orders.expire import expire_order_holds
from app.domain.orders.fail import fail
from app.domain.orders.find import find_order
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import wait_for_stock
from tests.portal.world import deliver, installing, ordered, pay, step
from tests.security.browser import Browser

SECRET = "https://10.0.0.7/redfish answered 500 for root"


@pytest.fixture
async def order(database: Database, ada: AccountView) -> OrderView:
    async with database.transaction() as tx:
        return await ordered(tx, ada, extra_ipv4="2", panel="cockpit")


async def test_an_unpaid_order_counts_down_and_leads_to_its_payment(
    client: Browser, order: OrderView, clock: SetClock
) -> None:
    clock.advance(minutes=7)
    page = (await client.get(f"/orders/{order.id}")).text
    assert "Reserved for you" in page
    assert f'data-countdown-s="{23 * 60}"' in page
    assert f'href="/invoices/{order.invoice_id}/pay"' in page
    for words in ("Cockpit", "db1.example.org", "€76.16", "Additional IPv4 addresses"):
        assert words in page


async def test_a_hold_of_days_is_told_as_a_time(
    client: Browser, order: OrderView, database: Database
) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            "UPDATE client_order SET hold_expires_at = hold_expires_at + interval '3 days'"
        )
    page = (await client.get(f"/orders/{order.id}")).text
    assert "Reserved until" in page
    assert "data-countdown-s" not in page


async def test_an_expired_hold_can_still_be_paid(
    client: Browser, order: OrderView, database: Database, clock: SetClock
) -> None:
    clock.advance(minutes=31)
    async with database.transaction() as tx:
        assert await expire_order_holds(tx) == [order.id]
    page = (await client.get(f"/orders/{order.id}")).text
    assert "No longer reserved" in page
    assert f'href="/invoices/{order.invoice_id}/pay"' in page


async def test_an_unpaid_order_is_cancelled_after_a_question(
    client: Browser, order: OrderView, database: Database, ada: AccountView
) -> None:
    here = f"/orders/{order.id}"
    assert "Cancel order 1?" in (await client.get(f"{here}/cancel")).text
    answer = await client.send_form(f"{here}/cancel", f"{here}/cancel")
    assert (answer.status_code, answer.headers["location"]) == (303, here)
    page = (await client.get(here)).text
    assert "This order is cancelled" in page
    assert "Order again" in page
    async with database.snapshot() as tx:
        assert (await find_order(tx, order.id)).server_id is None
    # What is cancelled is not asked about again.
    assert (await client.get(f"{here}/cancel")).headers["location"] == here


async def test_what_was_paid_meanwhile_is_not_cancelled(
    client: Browser, order: OrderView, database: Database
) -> None:
    here = f"/orders/{order.id}"
    token_page = "/products/metal-s"
    async with database.transaction() as tx:
        await pay(tx, order)
    answer = await client.send_form(token_page, f"{here}/cancel")
    assert answer.headers["location"] == here
    assert "This order is paid and on its way" in (await client.get(here)).text
    async with database.snapshot() as tx:
        assert (await find_order(tx, order.id)).state == "paid"


async def test_the_timeline_shows_steps_with_times_and_how_far_the_installation_is(
    client: Browser, order: OrderView, database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        run = await pay(tx, order)
        await mark_provisioning(tx, order.id)
        await begin_provisioning(tx, order.id)
        clock.advance(seconds=100)
        await step(tx, run, "paid", "succeeded", ago_s=100, took_s=0.4)
        await step(tx, run, "server", "succeeded", scope="/attempts:1", ago_s=99, took_s=1.5)
        await step(tx, run, "install", "waiting", scope="/attempts:1", ago_s=94, stands="waiting")
        await installing(tx, order, run, percent=42, stage="Partitioning the disks")
    page = (await client.get(f"/orders/{order.id}")).text
    fragment = (await client.get(f"/orders/{order.id}/progress")).text
    assert fragment.startswith(
        f'<div id="progress" class="sw-live-region" data-live="order:{order.id}"'
    )
    assert fragment in page
    assert "Your server is being set up" in fragment
    assert 'data-elapsed-ms="100000"' in fragment  # since payment
    assert 'data-elapsed-ms="94000"' in fragment  # of the step
    assert "1.5 s" in fragment
    assert "Partitioning the disks" in fragment
    assert 'value="42"' in fragment
    assert fragment.count('aria-current="step"') == 1


async def test_a_halted_run_is_told_calmly_and_nothing_of_the_inside(
    client: Browser, order: OrderView, database: Database
) -> None:
    async with database.transaction() as tx:
        run = await pay(tx, order)
        await mark_provisioning(tx, order.id)
        await step(tx, run, "server", "failed", scope="/attempts:1", error=SECRET, stands="halted")
        await tx.execute("UPDATE run SET status = 'halted', error = $2 WHERE id = $1", run, SECRET)
    page = (await client.get(f"/orders/{order.id}")).text
    assert "This takes longer than usual" in page
    assert "We are on it" in page
    assert "later than usual" in page
    for word in ("10.0.0.7", "redfish", "halted", "failed", "node"):
        assert word not in page.lower()


async def test_a_failed_order_keeps_its_reason_to_staff(
    client: Browser, order: OrderView, database: Database
) -> None:
    async with database.transaction() as tx:
        await pay(tx, order)
        await fail(tx, order.id, reason=SECRET)
    page = (await client.get(f"/orders/{order.id}")).text
    assert "This takes longer than usual" in page
    assert "10.0.0.7" not in page


async def test_an_order_without_a_server_waits_visibly(
    client: Browser, order: OrderView, database: Database
) -> None:
    async with database.transaction() as tx:
        await pay(tx, order)
        await mark_provisioning(tx, order.id)
        await wait_for_stock(tx, order.id, explanation="rack ams1-r01 has none")
    page = (await client.get(f"/orders/{order.id}")).text
    assert "Your order waits for a server" in page
    assert "ams1-r01 has none" not in page
    assert "Waiting for a server" in (await client.get("/orders")).text


async def test_a_delivered_order_leads_to_the_server(
    client: Browser, order: OrderView, database: Database, vault: Vault, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await pay(tx, order)
        clock.advance(minutes=4, seconds=12)
        service = await deliver(tx, vault, order)
    page = (await client.get(f"/orders/{order.id}")).text
    assert "Your server is ready" in page
    assert f'href="/services/{service}"' in page
    assert "4 min 12 s" in page


async def test_a_run_that_is_not_there_does_not_take_the_page_along(
    client: Browser, order: OrderView, database: Database
) -> None:
    async with database.transaction() as tx:
        await pay(tx, order)
        await tx.execute("UPDATE client_order SET run = gen_random_uuid()")
    page = (await client.get(f"/orders/{order.id}")).text
    assert "Paid, and about to start" in page


async def test_the_list_has_every_order_and_begins_empty(
    client: Browser, database: Database, ada: AccountView
) -> None:
    assert "No orders yet" in (await client.get("/orders")).text
    async with database.transaction() as tx:
        for name in ("one", "two"):
            await ordered(tx, ada, hostname=f"{name}.example.org")
    page = (await client.get("/orders")).text
    assert page.index("two.example.org") < page.index("one.example.org")
    assert (await client.get("/orders/rows?page=1")).text in page


@pytest.mark.parametrize("number", ["0", "-3", "x", "99999999999999999999", "٣", "500"])
async def test_a_page_number_of_any_kind_is_answered(client: Browser, number: str) -> None:
    assert (await client.get("/orders", params={"page": number})).status_code == 200
