"""A client never sees another's row: every address with an id in it, asked by a stranger."""

import re
from uuid import UUID

from litestar import Litestar

from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from app.routes.portal import PORTAL
from tests.accounts.people import make_account
from tests.portal.world import deliver, ordered, pay
from tests.security.browser import Browser, csrf_of

HERS = ("ada-secret", "ada-unpaid", "ada@example.com")
"""No id or token, made of random hexadecimal digits, has these in it."""


def addresses(app: Litestar, ids: dict[str, UUID]) -> list[tuple[str, str]]:
    """Return (method, address) of each route of the portal with one of `ids` in it."""
    found = []
    for route in app.routes:
        names = re.findall(r"\{(\w+):uuid\}", route.path)
        if len(names) == 1 and names[0] in ids and not route.path.startswith(("/admin", "/api")):
            path = re.sub(r"\{\w+:uuid\}", str(ids[names[0]]), route.path)
            found += [(method, path) for method in route.methods if method in {"GET", "POST"}]
    return found


async def test_every_address_of_anothers_row_is_not_found(
    app: Litestar, database: Database, ada: AccountView, vault: Vault
) -> None:
    await make_account(database, "bob@example.com", name="Bob")
    async with database.transaction() as tx:
        order = await ordered(tx, ada, hostname="ada-secret.example.org")
        unpaid = await ordered(tx, ada, hostname="ada-unpaid.example.org")
        await pay(tx, order)
        service = await deliver(tx, vault, order)
    assert order.invoice_id is not None
    assert unpaid.invoice_id is not None
    everything = [
        *addresses(
            app, {"order_id": order.id, "invoice_id": order.invoice_id, "service_id": service}
        ),
        *addresses(app, {"order_id": unpaid.id, "invoice_id": unpaid.invoice_id}),
    ]
    assert {path.split("/")[1] for _, path in everything} == {"orders", "invoices", "services"}
    assert len(everything) > 12
    async with Browser(app) as bob, Browser(app) as nobody:
        await bob.sign_in("bob@example.com")
        token = csrf_of((await bob.get("/products/metal-s")).text)
        visitors = csrf_of((await nobody.get("/products/metal-s")).text)
        for method, path in everything:
            answer = await bob.request(
                method, path, data={"_csrf_token": token} if method == "POST" else None
            )
            # To the address of the revealed page everyone is led on, to where it is not found.
            if (method, path) == ("GET", f"/services/{service}/credentials/reveal"):
                assert answer.headers["location"] == f"/services/{service}"
                continue
            assert answer.status_code == 404, (method, path, answer.status_code)
            assert not any(word in answer.text for word in HERS)
            led = await nobody.request(
                method, path, data={"_csrf_token": visitors} if method == "POST" else None
            )
            assert led.status_code == 303, (method, path)
            assert led.headers["location"].startswith("/sign-in")
        for path in ("/orders", "/invoices", "/services"):
            for part in ("", "/rows"):
                text = (await bob.get(f"{path}{part}")).text
                assert not any(word in text for word in HERS)


def test_the_portal_exports_every_controller() -> None:
    names = {handler.__name__ for handler in PORTAL}  # type: ignore[union-attr] - all are classes
    assert names >= {
        "Account", "Catalogue", "Invoices", "OrderForm", "Orders", "Pay", "ReverseDns", "Services",
        "SignIn", "SignOut", "SignUp",
    }  # fmt: skip
