"""A client signs up, orders, pays and sees the server delivered; an admin watches live."""

import re
import secrets
from pathlib import Path
from uuid import UUID

from playwright.async_api import Browser, BrowserContext, Page, expect

from tests.journeys.conftest import Provider, password_in
from tests.journeys.waiting import until

SLOW_MS = 60_000
SHOTS = Path(__file__).parent.parent.parent / ".data" / "screenshots"


async def shoot(page: Page, name: str) -> None:
    SHOTS.mkdir(parents=True, exist_ok=True)
    await page.screenshot(path=SHOTS / f"{name}.png", full_page=True)


def watch(page: Page, errors: list[str]) -> None:
    """Collect in `errors` what a customer must never have in the console."""
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on(
        "console",
        lambda message: (
            errors.append(message.text)
            if message.type == "error" and "Content Security Policy" in message.text
            else None
        ),
    )


async def follow_the_run(provider: Provider, staff: BrowserContext, host: str) -> Page:
    """Open the drawing of the order's run, which has only just begun."""

    async def run_of_order() -> UUID | None:
        async with provider.database.snapshot() as tx:
            found: UUID | None = await tx.fetchval(
                "SELECT run FROM client_order WHERE hostname = $1", host
            )
        return found

    await until(run_of_order, within_s=30)
    drawing = await staff.new_page()
    await drawing.goto(f"/designer/runs/{await run_of_order()}")
    await expect(drawing.locator("#n-paid .fl-state")).to_contain_text("Done")
    await expect(drawing.locator("#n-mail .fl-state")).to_have_count(0)
    await drawing.evaluate("window.isTheSame = true")
    return drawing


async def test_from_sign_up_to_the_password_on_screen(provider: Provider, browser: Browser) -> None:
    base = provider.stack.base_url
    email = f"ada{secrets.token_hex(3)}@client.example"
    host = f"db{secrets.token_hex(3)}.client.example"
    client = await browser.new_context(base_url=base, viewport={"width": 1280, "height": 900})
    staff = await browser.new_context(base_url=base, viewport={"width": 1280, "height": 900})
    page, admin = await client.new_page(), await staff.new_page()
    errors: list[str] = []
    for each in (page, admin):
        watch(each, errors)
    page.set_default_timeout(SLOW_MS)

    # An admin watches the dashboard.
    await admin.goto("/sign-in")
    await admin.get_by_label("E-mail").fill(provider.stack.logins.owner.email)
    await admin.get_by_label("Password", exact=True).fill(provider.stack.logins.owner.password)
    await admin.get_by_role("button", name="Sign in").click()
    await expect(admin).to_have_url(re.compile("/admin"))
    await expect(admin.get_by_text(host)).to_have_count(0)

    # A visitor becomes a client.
    await page.goto("/")
    await shoot(page, "catalogue")
    await page.goto("/sign-up?next=/products/metal-m")
    await page.get_by_label("Name", exact=True).fill("Ada Client")
    await page.get_by_label("E-mail").fill(email)
    await page.get_by_label("Country").select_option("NL")
    await page.get_by_label("Password", exact=True).fill("correct horse battery")
    await page.get_by_role("button", name="Create account").click()
    await expect(page).to_have_url(re.compile("/products/metal-m"))

    # The order form: the price follows the options, a bad host name is told beside its field.
    summary = page.locator("#price .sw-price-total")
    before = await summary.inner_text()
    await page.locator("#extra_ipv4").fill("2")
    await page.locator("#extra_ipv4").press("Tab")
    await expect(summary).not_to_have_text(before)
    await page.get_by_label("Host name").fill("not a host")
    await page.get_by_role("button", name="Order and pay").click()
    await expect(page.locator("#hostname-error")).to_be_visible()
    assert await page.locator("#extra_ipv4").input_value() == "2"
    await page.get_by_label("Host name").fill(host)
    await shoot(page, "order-form")
    await page.get_by_role("button", name="Order and pay").click()

    # Payment by card.
    await expect(page).to_have_url(re.compile("/invoices/.*/pay"))
    card = page.frame_locator("iframe").first
    await card.get_by_label(re.compile("number", re.IGNORECASE)).fill("4242 4242 4242 4242")
    await card.get_by_label(re.compile("expir", re.IGNORECASE)).fill("12 / 39")
    await card.get_by_label(re.compile("cvc|security", re.IGNORECASE)).fill("123")
    await shoot(page, "pay")
    await page.get_by_role("button", name=re.compile("^Pay")).first.click()

    # The timeline is followed live, here and on the admin's dashboard, without a reload.
    await expect(page).to_have_url(re.compile("/orders/"))
    await expect(admin.get_by_text(host).first).to_be_visible(timeout=SLOW_MS)
    drawing = await follow_the_run(provider, staff, host)
    watch(drawing, errors)
    await expect(page.get_by_text("Operating system installed").first).to_be_visible()
    await shoot(page, "delivery")
    await shoot(admin, "dashboard")
    await expect(
        page.get_by_role("link", name=re.compile("service|server", re.IGNORECASE)).last
    ).to_be_visible()
    await expect(page.get_by_text(re.compile("delivered", re.IGNORECASE)).first).to_be_visible(
        timeout=SLOW_MS
    )

    # From the trigger to the mail, on the page that was opened once.
    await expect(drawing.locator("#n-mail .fl-state")).to_contain_text("Done", timeout=SLOW_MS)
    await expect(drawing.locator("#n-install .fl-state")).to_contain_text("Done")
    assert await drawing.evaluate("window.isTheSame")
    await shoot(drawing, "run")

    # The service: addresses, and the password once.
    await page.goto("/services")
    await page.get_by_role("link", name=re.compile(host)).first.click()
    await expect(page).to_have_url(re.compile("/services/"))
    await shoot(page, "service")
    await page.get_by_role("button", name=re.compile("show|reveal", re.IGNORECASE)).first.click()
    confirm = page.get_by_role("dialog").get_by_role(
        "button", name=re.compile("show|reveal", re.IGNORECASE)
    )
    if await confirm.count():
        await confirm.first.click()
    (mail,) = await provider.mails(email, host)
    await expect(page.get_by_text(password_in(mail)).first).to_be_visible()
    await page.reload()
    await expect(page.get_by_text(password_in(mail))).to_have_count(0)

    assert errors == []
    await client.close()
    await staff.close()
