"""Who gets where: clients nowhere, each role only to what is its own."""

import hashlib
import hmac
import re
from uuid import UUID

import pytest
from litestar import Litestar

from app.core.ids import new_id
from app.domain.accounts.roles import Role, is_staff
from app.routes.security.csrf import CSRF_COOKIE
from app.routes.security.visit import SESSION_COOKIE
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.connections.world import add
from tests.security.browser import Browser

OPEN = {
    "/admin": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/orders": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/orders/{order}": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/orders/{order}/allocation": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/orders/{held}/allocation/choose?server=fra1-b1-01": {Role.OPERATOR, Role.OWNER},
    "/admin/orders/{order}/cancel": {Role.OPERATOR, Role.FINANCE, Role.OWNER},
    "/admin/stock": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/stock/products/metal-s?number=2": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/stock/products/metal-s/rules": {Role.DESIGNER, Role.OWNER},
    "/admin/stock/products/metal-s/script": {Role.DESIGNER, Role.OWNER},
    "/admin/stock/products/metal-s/machines": {Role.DESIGNER, Role.OWNER},
    "/admin/stock/virtual/new": {Role.DESIGNER, Role.OWNER},
    "/admin/stock/games/new": {Role.DESIGNER, Role.OWNER},
    "/admin/backlog": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/backlog/{order}/priority": {Role.OPERATOR, Role.OWNER},
    "/admin/runs": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/runs/{run}": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/runs/{run}/cancel": {Role.OPERATOR, Role.OWNER},
    "/admin/runs/{run}/resume": {Role.OPERATOR, Role.OWNER},
    "/admin/runs/cancel?run={run}": {Role.OPERATOR, Role.OWNER},
    "/admin/runs/orphans": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/flows": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/flows/dedicated-server": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/flows/dedicated-server/start": {Role.OPERATOR, Role.OWNER},
    "/admin/flows/dedicated-server/disable": {Role.DESIGNER, Role.OWNER},
    "/admin/flows/dedicated-server/roll-back/1": {Role.DESIGNER, Role.OWNER},
    "/admin/flows/dedicated-server/rehearsal/1": set(Role) - {Role.CLIENT},
    "/admin/flow-import": {Role.DESIGNER, Role.OWNER},
    "/admin/connections": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/connections/{connection}": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/connections/new": {Role.OPERATOR, Role.OWNER},
    "/admin/connections/new/http": {Role.OPERATOR, Role.OWNER},
    "/admin/services": {Role.OPERATOR, Role.DESIGNER, Role.FINANCE, Role.OWNER},
    "/admin/services/{service}/suspend": {Role.OPERATOR, Role.OWNER},
    "/admin/servers": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/dashboard/stock": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/servers/{server}": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/servers/{server}/begin-maintenance": {Role.OPERATOR, Role.OWNER},
    "/admin/racks/{rack}": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/racks": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/racks/{rack}/change": {Role.OPERATOR, Role.OWNER},
    "/admin/servers/{server}/place": {Role.OPERATOR, Role.OWNER},
    "/admin/servers/{server}/change": {Role.OPERATOR, Role.OWNER},
    "/admin/servers/{server}/discovery": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/servers/import": {Role.OPERATOR, Role.OWNER},
    "/admin/servers/export/csv": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/cables": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/cpu-models": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/delivery": {Role.OPERATOR, Role.OWNER},
    "/admin/moves": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/prefixes": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/prefixes/{prefix}": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/prefixes/{prefix}/change": {Role.OPERATOR, Role.OWNER},
    "/admin/prefixes/new": {Role.OPERATOR, Role.OWNER},
    "/admin/prefixes/import": {Role.OPERATOR, Role.OWNER},
    "/admin/prefixes/export/csv": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/addresses": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/addresses/new": {Role.OPERATOR, Role.OWNER},
    "/admin/vlans": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/vlans/new": {Role.OPERATOR, Role.OWNER},
    "/admin/reservations": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/reservations/new": {Role.OPERATOR, Role.OWNER},
    "/admin/address-audits": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/reverse-dns": {Role.OPERATOR, Role.DESIGNER, Role.OWNER},
    "/admin/invoices": {Role.OPERATOR, Role.FINANCE, Role.OWNER},
    "/admin/invoices/{invoice}": {Role.OPERATOR, Role.FINANCE, Role.OWNER},
    "/admin/invoices/{invoice}/credit": {Role.FINANCE, Role.OWNER},
    "/admin/invoices/{invoice}/refund": {Role.FINANCE, Role.OWNER},
    "/admin/invoices/{invoice}/void": {Role.FINANCE, Role.OWNER},
}


async def _named(stage: Stage) -> dict[str, UUID]:
    order, run = await stage.halted()
    held = await stage.order()
    server = stage.servers["fra1-b1-01"]
    async with stage.database.snapshot() as tx:
        rack = await tx.fetchval("SELECT rack FROM server WHERE id = $1", server)
        prefix = await tx.fetchval("SELECT id FROM prefix LIMIT 1")
    assert order.invoice_id is not None
    assert order.service_id is not None
    return {
        "order": order.id,
        "held": held.id,
        "run": run,
        "server": server,
        "service": order.service_id,
        "rack": rack,
        "prefix": prefix,
        "invoice": order.invoice_id,
        "connection": await add(stage.database, stage.vault),
    }


@pytest.mark.parametrize("role", Role)
async def test_each_role_enters_only_what_is_its_own(
    stage: Stage, enter: Enter, role: Role
) -> None:
    names = await _named(stage)
    browser = await enter(role)
    for place, roles in OPEN.items():
        status = (await browser.get(place.format(**names))).status_code
        wanted = 200 if role in roles else 404 if role is Role.CLIENT else 403
        assert (place, status) == (place, wanted)


@pytest.mark.parametrize("role", [role for role in Role if is_staff(role)])
async def test_the_navigation_leads_only_where_the_role_may_go(
    stage: Stage, enter: Enter, role: Role
) -> None:
    browser = await enter(role)
    page = (await browser.get("/admin")).text
    side = page[page.index('class="sw-side"') : page.index("</nav>")]
    places = re.findall(r'class="sw-nav-link" href="([^"]+)"', side)
    assert "/admin/orders" in places
    assert ("/admin/invoices" in places) == (role is not Role.DESIGNER)
    assert ("/admin/servers" in places) == (role is not Role.FINANCE)
    for place in places:
        assert (place, (await browser.get(place)).status_code) == (place, 200)


def _ways(app: Litestar) -> list[tuple[str, str]]:
    return [
        (method, route.path)
        for route in app.routes
        if route.path.startswith("/admin")
        for method in getattr(route, "methods", ())
        if method in {"GET", "POST"}
    ]


async def test_nothing_under_admin_exists_for_a_client_or_a_stranger(
    app: Litestar, enter: Enter
) -> None:
    client = await enter(Role.CLIENT)
    page = (await client.get("/admin")).text
    assert "Nothing at this address" in page
    session, nonce = client.cookies[SESSION_COOKIE], client.cookies[CSRF_COOKIE]
    token = hmac.new(nonce.encode(), f"csrf:{session}".encode(), hashlib.sha256).hexdigest()
    ways = _ways(app)
    assert len(ways) > 30
    async with Browser(app) as stranger:
        for method, path in ways:
            where = re.sub(r"\{\w+:uuid\}", str(new_id()), path).replace("{deed:str}", "release")
            where = re.sub(r"\{\w+:int\}", "1", re.sub(r"\{\w+:str\}", "x", where))
            sent = await client.request(method, where, headers={"X-CSRFToken": token})
            assert (method, path, sent.status_code) == (method, path, 404)
            if method == "GET":
                asked = await stranger.get(where)
                assert (path, asked.status_code) == (path, 303)
                assert asked.headers["location"].startswith("/sign-in")


@pytest.mark.parametrize(
    ("role", "action"),
    [
        (Role.FINANCE, "/admin/runs/{run}/retry"),
        (Role.FINANCE, "/admin/runs/{run}/cancel"),
        (Role.FINANCE, "/admin/servers/{server}/begin-maintenance"),
        (Role.DESIGNER, "/admin/orders/{order}/cancel"),
        (Role.DESIGNER, "/admin/servers/{server}/begin-maintenance"),
        (Role.DESIGNER, "/admin/connections/{connection}"),
        (Role.DESIGNER, "/admin/connections/{connection}/test"),
        (Role.DESIGNER, "/admin/connections/{connection}/remove"),
        (Role.DESIGNER, "/admin/connections/new/http"),
        (Role.FINANCE, "/admin/connections/{connection}/remove"),
        (Role.OPERATOR, "/admin/invoices/{invoice}/transfer"),
        (Role.OPERATOR, "/admin/invoices/{invoice}/credit"),
        (Role.OPERATOR, "/admin/invoices/{invoice}/refund"),
        (Role.OPERATOR, "/admin/invoices/{invoice}/void"),
    ],
)
async def test_who_may_not_change_cannot_by_sending_the_form(
    stage: Stage, enter: Enter, role: Role, action: str
) -> None:
    names = await _named(stage)
    browser = await enter(role)
    sent = await browser.send_form("/admin", action.format(**names), {"reason": "because"})
    assert sent.status_code == 403
    async with stage.database.snapshot() as tx:
        assert await tx.fetchval("SELECT status FROM run WHERE id = $1", names["run"]) == "halted"
        assert not await tx.fetchval("SELECT cancel_requested FROM run WHERE id = $1", names["run"])


async def test_an_order_shows_a_designer_no_money_and_no_trail(stage: Stage, enter: Enter) -> None:
    order = await stage.delivered()
    page = (await (await enter(Role.DESIGNER)).get(f"/admin/orders/{order.id}")).text
    assert f"Invoice {order.invoice_number}" not in page
    assert "Audit trail" not in page
    assert order.hostname in page
