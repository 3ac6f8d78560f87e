"""Pay an invoice of the demo by card, as the pay page's script does in a browser."""

import re

import httpx

from app.cli.demo.processes import DemoFailed
from app.cli.demo.stack import Payments

GOOD_CARD = {"number": "4242424242424242", "exp_month": 12, "exp_year": 2039, "cvc": "123"}
_SECRET = re.compile(r'data-secret="([^"]+)"')


async def pay_by_card(portal: httpx.AsyncClient, payments: Payments, invoice_path: str) -> None:
    """Open the pay page for its client secret, and confirm the payment at the stand-in."""
    page = await portal.get(f"{invoice_path}/pay")
    found = _SECRET.search(page.text)
    if page.is_error or found is None:
        raise DemoFailed(f"The pay page offers no card payment (status {page.status_code}).")
    async with httpx.AsyncClient(base_url=payments.url, trust_env=False, timeout=30.0) as client:
        answer = await client.post(
            "/api/confirm",
            json={"key": payments.publishable_key, "client_secret": found[1], "card": GOOD_CARD},
        )
    facts = answer.json()
    if answer.is_error or facts.get("error"):
        raise DemoFailed(f"The card payment was not taken: {answer.text[:300]}")
