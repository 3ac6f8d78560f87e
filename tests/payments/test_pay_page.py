"""The pay page in a real browser, against the stand-in of Stripe."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from playwright.async_api import expect

from app.domain.billing.credit import add_credit
from app.domain.orders.expire import expire_order_holds
from app.routes.portal.pay import gateway_policy
from tests.accounts.people import make_account, sign_in
from tests.axe import ANY, violations
from tests.billing.ledger import Books
from tests.chromium import SPILL
from tests.orders.world import an_order
from tests.payments.conftest import Shop, ShopMaker, Window
from tests.payments.stand_in import ASKS, DECLINED, PAYS, StandIn

OpenWindow = Callable[..., Awaitable[Window]]
PAID = Books(invoice="paid", order="paid", paid_minor=5_900, credit_minor=0, started=1)
OPEN = Books(invoice="open", order="awaiting_payment", paid_minor=0, credit_minor=0, started=0)


async def credited(shop: Shop, amount_minor: int) -> None:
    async with shop.database.transaction() as tx:
        await add_credit(
            tx, shop.account.id, amount_minor=amount_minor, currency="EUR", reason="t", key="t"
        )


async def test_a_card_pays(shop: Shop, open_window: OpenWindow) -> None:
    window = await open_window(shop)
    await window.type_card(PAYS)
    assert await window.broken() == []
    await window.pay()
    await window.page.wait_for_url(shop.order_url)
    assert await shop.until_paid() == PAID
    assert await shop.payments() == [("stripe", "succeeded")]
    await window.page.goto(shop.pay_url)
    assert window.page.url == shop.order_url
    assert await window.broken() == []


async def test_a_declined_card_and_then_another(shop: Shop, open_window: OpenWindow) -> None:
    window = await open_window(shop)
    await window.type_card(DECLINED)
    await window.pay()
    alert = window.page.get_by_role("alert")
    await expect(alert).to_have_text("Your card was declined.")
    frame = window.page.frame_locator("#payment-element iframe")
    await expect(frame.get_by_label("Card number")).to_have_value("4000 0000 0000 0341")
    await expect(frame.get_by_label("Security code")).to_have_value("123")
    assert await shop.books() == OPEN
    await frame.get_by_label("Card number").fill(PAYS)
    await expect(alert).to_be_hidden()
    await window.pay()
    await window.page.wait_for_url(shop.order_url)
    assert await shop.until_paid() == PAID
    assert await window.broken() == []


async def test_what_is_missing_is_said_beside_its_field(
    shop: Shop, open_window: OpenWindow
) -> None:
    window = await open_window(shop)
    await window.type_card("4242424242424241")
    await window.pay()
    await expect(window.page.get_by_role("alert")).to_have_text("Your card number is invalid.")
    frame = window.page.frame_locator("#payment-element iframe")
    await expect(frame.locator("#number-error")).to_have_text("Your card number is invalid.")
    await expect(frame.get_by_label("Card number")).to_be_focused()


async def test_3d_secure_refused_and_then_completed(shop: Shop, open_window: OpenWindow) -> None:
    window = await open_window(shop)
    await window.type_card(ASKS)
    await window.pay()
    challenge = window.page.frame_locator("dialog iframe")
    await challenge.get_by_role("button", name="Fail").click()
    await expect(window.page.get_by_role("alert")).to_contain_text("unable to authenticate")
    assert await shop.books() == OPEN
    await window.pay()
    await challenge.get_by_role("button", name="Complete").click()
    await window.page.wait_for_url(shop.order_url)
    assert await shop.until_paid() == PAID
    assert await window.broken() == []


async def test_a_double_click_and_two_windows_pay_once(
    shop: Shop, open_window: OpenWindow, stand_in: StandIn
) -> None:
    before = await stand_in.succeeded()
    first, second = await open_window(shop), await open_window(shop)
    await first.type_card(PAYS)
    await second.type_card(PAYS)
    button = first.page.get_by_role("button", name="Pay €59.00")
    await button.dblclick()
    await first.page.wait_for_url(shop.order_url)
    if second.page.url != shop.order_url:  # the news of the payment may have led it on already
        await second.page.evaluate("document.querySelector('[data-pay-card]')?.requestSubmit()")
    await second.page.wait_for_url(shop.order_url)
    assert await shop.until_paid() == PAID
    assert len(await stand_in.succeeded()) == len(before) + 1
    assert await shop.payments() == [("stripe", "succeeded")]


@pytest.mark.parametrize(("mode", "sent"), [("twice", 2), ("lost", 0)])
async def test_webhooks_twice_or_lost(
    shop: Shop, open_window: OpenWindow, stand_in: StandIn, mode: str, sent: int
) -> None:
    await stand_in.webhooks(mode)
    try:
        window = await open_window(shop)
        await window.type_card(PAYS)
        await window.pay()
        await window.page.wait_for_url(shop.order_url)
        ref = await shop.ref()
        async with asyncio.timeout(30):
            while [len(each["sent"]) for each in await stand_in.deliveries(ref)] != [sent]:  # noqa: ASYNC110 - another process
                await asyncio.sleep(0.03)
        if mode == "lost":
            assert await shop.books() == OPEN
            await shop.reconcile()
            await shop.reconcile()
        assert await shop.books() == PAID
        assert await shop.payments() == [("stripe", "succeeded")]
    finally:
        await stand_in.webhooks("on-time")


async def test_another_way_paid_leads_the_open_page_on(shop: Shop, open_window: OpenWindow) -> None:
    await credited(shop, 5_900)
    first = await open_window(shop)
    second = await open_window(shop)
    await expect(first.page.locator("#live-state")).to_have_text("Live")
    await second.page.get_by_text("Account credit").click()
    await second.page.get_by_role("button", name="Pay €59.00").click()
    await second.page.wait_for_url(shop.order_url)
    await first.page.wait_for_url(shop.order_url)
    assert await shop.books() == PAID


async def test_bank_transfer_shows_the_account_and_holds_longer(
    shop: Shop, open_window: OpenWindow
) -> None:
    now = shop.database.clock.now()
    window = await open_window(shop)
    await window.page.get_by_text("Bank transfer").click()
    await expect(window.page.locator("[data-pay-card]")).to_be_hidden()
    await window.page.get_by_role("button", name="Show the bank details").click()
    await window.page.wait_for_url("**/pay?way=bank_transfer&step=transfer")
    main = window.page.locator("main")
    for words in ("DE02 1203 0000 0000 2020 51", "BYLADEM1001", str(shop.order.invoice_number)):
        await expect(main.get_by_text(words, exact=True)).to_be_visible()
    copy = main.get_by_role("button", name="Copy DE02 1203 0000 0000 2020 51")
    assert await copy.get_attribute("data-copy") == "DE02 1203 0000 0000 2020 51"
    assert await shop.holds() == {now + timedelta(hours=72)}
    assert await shop.books() == OPEN
    assert await window.broken() == []


async def test_credit_is_offered_only_when_it_suffices(shop: Shop, open_window: OpenWindow) -> None:
    window = await open_window(shop)
    assert await window.page.get_by_text("Account credit").count() == 0
    await credited(shop, 5_899)
    await window.page.reload()
    await expect(window.page.locator("input[value=credit]")).to_be_disabled()


async def test_nobody_pays_for_what_is_gone(
    shop: Shop, open_window: OpenWindow, stand_in: StandIn
) -> None:
    """The hold ran out while the page was open, and the last server went to someone else."""
    before = await stand_in.succeeded()
    window = await open_window(shop)
    await window.type_card(PAYS)
    shop.database.clock.advance(hours=1)  # type: ignore[attr-defined]
    other = await make_account(shop.database, "other@example.com")
    async with shop.database.transaction() as tx:
        await expire_order_holds(tx)
        await an_order(tx, other.id)
    await window.pay()
    await expect(window.page.get_by_role("alert")).to_contain_text("sold out")
    assert await stand_in.succeeded() == before
    await window.page.reload()
    await expect(window.page.get_by_text("Sold out for now")).to_be_visible()
    assert await window.page.locator("[data-pay-card]").count() == 0


async def test_an_invoice_of_someone_else(shop: Shop, open_window: OpenWindow) -> None:
    await make_account(shop.database, "other@example.com")
    shop.token = (await sign_in(shop.database, "other@example.com")).token
    window = await open_window(shop)
    await expect(window.page.get_by_text("Nothing at this address")).to_be_visible()
    for action in ("hold", "transfer", "credit"):
        answer = await window.context.request.post(f"{shop.pay_url}/{action}")
        assert answer.status in {403, 404}
    assert await shop.books() == OPEN


async def test_a_gateway_that_is_down_keeps_nobody_from_another_way(
    open_shop: ShopMaker, open_window: OpenWindow
) -> None:
    shop = await open_shop(stripe_api_url="http://127.0.0.1:9")
    window = await open_window(shop)
    await expect(window.page.get_by_text("Card is not available at the moment")).to_be_visible()
    await window.page.get_by_text("Bank transfer").click()
    await expect(window.page.get_by_role("button", name="Show the bank details")).to_be_visible()


async def test_a_card_form_that_does_not_load_says_so(
    open_shop: ShopMaker, open_window: OpenWindow
) -> None:
    shop = await open_shop(stripe_js_url="http://127.0.0.1:9/v3/")
    window = await open_window(shop)
    await expect(window.page.get_by_role("alert")).to_contain_text("could not be loaded")


@pytest.mark.parametrize("status", ["succeeded", "failed"])
async def test_back_from_a_banks_own_page(shop: Shop, open_window: OpenWindow, status: str) -> None:
    window = await open_window(shop, f"{shop.pay_url}?redirect_status={status}")
    if status == "succeeded":
        assert window.page.url == shop.order_url
    else:
        await expect(window.page.get_by_text("was not completed")).to_be_visible()


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
async def test_it_is_accessible_within_the_policy_and_the_width(
    shop: Shop, open_window: OpenWindow, theme: str, width: int
) -> None:
    await credited(shop, 8_000)
    window = await open_window(shop, color_scheme=theme, viewport={"width": width, "height": 844})
    frame = window.page.frame_locator("#payment-element iframe")
    await expect(frame.get_by_label("Card number")).to_be_visible()
    for way in ("Card", "Bank transfer", "Account credit"):
        await window.page.get_by_text(way, exact=True).first.click()
        assert await violations(window.page, ANY, iframes=False) == []
        assert await window.page.evaluate(SPILL) == 0
    assert await window.broken() == []


def test_the_policy_names_stripes_origins_or_the_stand_ins() -> None:
    policy = gateway_policy("https://js.stripe.com/v3/")
    assert "script-src 'self' https://js.stripe.com https://*.js.stripe.com;" in policy
    assert "connect-src 'self' https://api.stripe.com;" in policy
    assert "https://hooks.stripe.com" in policy
    assert "unsafe" not in policy
    stand_in = gateway_policy("http://127.0.0.1:7000/js.stripe.com/v3/")
    assert "script-src 'self' http://127.0.0.1:7000;" in stand_in
    assert "stripe" not in stand_in
