"""Pay an invoice of the demo by card, as the pay page's script does in a browser."""

import re

import httpx

from app.cli.demo.processes import DemoFailed
from app.cli.demo.stack import Payments

GOOD_CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2039, "cvc": "123"}
_SECRET = re.compile(r'data-secret="([^"]+)"')


async def pay_by_card(portal: httpx.AsyncClient, payments: Payments, invoice_path: str) -> None:
    """Open the pay page and confirm the payment that it has begun."""
    page = await portal.get(f"{invoice_path}/pay")
    if page.is_error:
        raise DemoFailed(f"The pay page answered {page.status_code}.")
    await confirm(payments, page.text)


async def confirm(payments: Payments, page: str) -> None:
    """Confirm, at the stand-in, the payment whose client secret is in the page."""
    found = _SECRET.search(page)
    if found is None:
        raise DemoFailed("The pay page offers no card payment.")
    async with httpx.AsyncClient(base_url=payments.url, trust_env=False, timeout=30.0) as client:
        answer = await client.post(
            "/api/confirm",
            json={"key": payments.publishable_key, "client_secret": found[1], "card": GOOD_CARD},
        )
    if answer.is_error or answer.json().get("error"):
        raise DemoFailed(f"The card payment was not taken: {answer.text[:300]}")
