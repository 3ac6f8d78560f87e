"""Take the README's pictures: `.venv/bin/python scripts/screenshots.py`.

Starts all of Slipway in a folder of its own, orders a few servers, and looks at the pages while
they are delivered.
"""

import asyncio
import re
import tempfile
from pathlib import Path

from playwright.async_api import BrowserContext, Page, async_playwright

from app.cli.demo.browser import PortalClient
from app.cli.demo.logins import Login
from app.cli.demo.pay import pay_by_card
from app.cli.demo.processes import free_port
from app.cli.demo.stack import Plan, Stack
from app.domain.orders.find import list_orders

TARGET = Path(__file__).parent.parent / "docs" / "screenshots"
CHROMIUM = "/usr/bin/chromium"
FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking")
DESK = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 780}
ORDERS = (("metal-s", "debian-12"), ("metal-m", "ubuntu-24.04"), ("metal-l", "almalinux-9"))


async def main() -> None:
    TARGET.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="slipway-shots-") as folder:
        stack = Stack(Plan(data_dir=Path(folder), port=free_port(), speed=60.0))
        try:
            await stack.start()
            await shoot(stack)
        finally:
            await stack.stop()


async def order(stack: Stack, portal: PortalClient, number: int) -> str:
    """Order and pay; return the order's id."""
    product, system = ORDERS[number % len(ORDERS)]
    host = f"node{number}.client.example"
    await portal.order(product, hostname=host, os=system, extra_ipv4=str(number % 3))
    async with stack.database.snapshot() as tx:
        made = (await list_orders(tx, search=host)).items[0]
    await pay_by_card(portal.http, stack.payments, f"/invoices/{made.invoice_id}")
    return str(made.id)


async def signed_in(context: BrowserContext, base_url: str, login: Login) -> Page:
    page = await context.new_page()
    await page.goto(f"{base_url}/sign-in")
    await page.get_by_label("E-mail").fill(login.email)
    await page.get_by_label("Password", exact=True).fill(login.password)
    await page.get_by_role("button", name="Sign in").click()
    await page.wait_for_url(lambda url: "/sign-in" not in url)
    return page


async def shoot(stack: Stack) -> None:
    base, logins = stack.base_url, stack.logins
    portal = PortalClient(base)
    await portal.sign_in(logins.client)
    for number in range(3):  # history, so that there are usual times to show
        await order(stack, portal, number)
    await asyncio.sleep(14)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        light = await browser.new_context(viewport=DESK)
        dark = await browser.new_context(viewport=DESK, color_scheme="dark")
        phone = await browser.new_context(viewport=PHONE, device_scale_factor=2)
        client = await signed_in(light, base, logins.client)
        await client.goto(f"{base}/products/metal-m?os=debian-12")
        await client.locator("#extra_ipv4").fill("2")
        await client.locator("#extra_ipv4").press("Tab")
        await client.get_by_text(re.compile("IPv4 address × 2")).wait_for()
        await client.evaluate("window.scrollTo(0, 0)")
        await client.screenshot(path=TARGET / "order-form.png")
        admin = await signed_in(dark, base, logins.owner)
        small = await signed_in(phone, base, logins.client)
        orders = [await order(stack, portal, number) for number in range(3, 7)]
        await client.goto(f"{base}/orders/{orders[0]}")
        await asyncio.sleep(3.5)
        await client.screenshot(path=TARGET / "delivery.png")
        await admin.goto(f"{base}/admin")
        await admin.get_by_text("Live", exact=True).wait_for()
        await admin.screenshot(path=TARGET / "dashboard.png")
        await asyncio.sleep(12)
        await small.goto(f"{base}/services")
        await small.get_by_role("link", name=re.compile("node6")).first.click()
        await small.get_by_text("ssh -p").first.wait_for()
        await small.screenshot(path=TARGET / "phone.png")
        await browser.close()
    await portal.close()


asyncio.run(main())
