"""What only a browser can tell of the admin pages: policy, width, accessibility, liveness."""

import asyncio
import socket
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import uvicorn
from litestar import Litestar
from msgspec.structs import replace
from playwright.async_api import Page

from app.core.live import Live
from app.domain.accounts.roles import Role
from app.domain.connections.kinds import Kind
from app.domain.inventory.power import note_power
from app.drivers.power import Power
from app.flows.document import Document
from app.flows.dryrun.of_version import keep_score, rehearse_version
from app.flows.gallery import find_template
from app.flows.publish import publish
from app.routes.security.visit import SESSION_COOKIE
from tests.admin.conftest import session_of
from tests.admin.stage import Stage
from tests.admin.test_flow_deeds import publish_other
from tests.axe import violations
from tests.chromium import SPILL, WATCH, Contexts
from tests.connections.world import a_flow, add
from tests.metal.books import hear, seven_nodes

SIZES = {"desk": (1280, 900), "phone": (390, 844)}


@pytest.fixture
async def address(app: Litestar) -> AsyncIterator[str]:
    """Serve the application on loopback, in this event loop."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(app, log_level="error", ws="none", timeout_graceful_shutdown=1)
    )
    serving = asyncio.create_task(server.serve([listener]))
    live: Live = await app.dependencies["live"]()
    await live.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    await live.stop()
    await serving
    listener.close()


def every_field() -> Document:
    """Return a flow whose input has a field of every kind."""
    text = {"type": "string"}
    disk = {"type": "object", "properties": {"gb": {"type": "integer"}, "kind": {"enum": ["a"]}}}
    inputs = {
        "type": "object",
        "required": ["name"],
        "properties": {
            "name": text | {"description": "What it is called.", "examples": ["web-1"]},
            "urgent": {"type": "boolean"},
            "from": text | {"format": "date"},
            "at": text | {"format": "date-time"},
            "disks": {"type": "array", "minItems": 1, "items": disk},
            "owner": {"type": "object", "properties": {"mail": text, "note": text}},
            "extra": {},
        },
    }
    return replace(find_template("server-suspended"), flow="every-field", inputs=inputs)


async def a_busy_day(stage: Stage) -> dict[str, str]:
    """Fill the provider and return the pages to look at."""
    for hours, took in ((30, 95), (6, 64), (1, 61), (1, 71), (1, 58)):
        stage.clock.advance(hours=hours / 10)
        latest = await stage.delivered(took=timedelta(seconds=took), client=hours % 3)
    halted, run = await stage.halted(
        host="db-primary.example.org",
        error="BMC https://10.9.0.6 answers 401: the password written down is not its own",
    )
    waiting, _ = await stage.without_stock(host="render-01.example.org", client=1)
    moving, _ = await stage.installing(host="shop.example.org", client=2)
    await stage.retrying(product="metal-m", host="ci-runner.example.org")
    await stage.order(host="cart.example.org")
    aside = await stage.put_aside("fra1-b1-02", "installed, but does not answer: no route to host")
    await stage.put_aside("fra1-b1-07", "no word from the machine for 1 h")
    async with stage.database.transaction() as tx:
        rack = await tx.fetchval("SELECT rack FROM server WHERE id = $1", moving.server_id)
        unpaid = await tx.fetchval("SELECT id FROM invoice WHERE state = 'open'")
        await a_flow(tx, "shop")
        await publish(tx, every_field(), note="asks for everything")
    await publish_other(stage)
    version, report = await rehearse_version(stage.database, "dedicated-server", 1)
    async with stage.database.transaction() as tx:
        await keep_score(tx, version, report, by=None, by_label="test")
    shop = await add(stage.database, stage.vault, trust="off")
    for kind in (Kind.SSH, Kind.DNS, Kind.CHAT):
        await add(stage.database, stage.vault, kind, name=f"my-{kind}")
    of_nodes, shown = await seven_nodes(stage)
    await hear(stage.database, stage.clock, *shown)
    async with stage.database.transaction() as tx:
        failed = await tx.fetchval("SELECT id FROM cloud_node WHERE drift = 'failed'")
        assert latest.server_id is not None
        await note_power(tx, latest.server_id, Power.OFF)
    stage.clock.advance(seconds=12)
    return {
        "dashboard": "/admin",
        "orders": "/admin/orders",
        "order": f"/admin/orders/{halted.id}",
        "order-moving": f"/admin/orders/{moving.id}",
        "order-waiting": f"/admin/orders/{waiting.id}",
        "allocation": f"/admin/orders/{waiting.id}/allocation?server=fra1-b1-01",
        "choose": f"/admin/orders/{waiting.id}/allocation/choose?server=fra1-b1-01",
        "stock": "/admin/stock",
        "stock-product": "/admin/stock/products/metal-m?number=40",
        "rules": "/admin/stock/products/metal-m/rules",
        "backlog": "/admin/backlog",
        "priority": f"/admin/backlog/{waiting.id}/priority",
        "cancel": f"/admin/orders/{halted.id}/cancel",
        "runs": "/admin/runs",
        "run": f"/admin/runs/{run}",
        "run-resume": f"/admin/runs/{run}/resume",
        "run-round": f"/admin/runs/{run}?scope=/attempts:1",
        "runs-cancel": f"/admin/runs/cancel?run={run}",
        "orphans": "/admin/runs/orphans",
        "flows": "/admin/flows",
        "flow": "/admin/flows/dedicated-server",
        "flow-start": "/admin/flows/every-field/start",
        "flow-rehearsal": "/admin/flows/dedicated-server/rehearsal/1",
        "flow-roll-back": "/admin/flows/dedicated-server/roll-back/1",
        "flow-disable": "/admin/flows/dedicated-server/disable",
        "flow-import": "/admin/flow-import",
        "services": "/admin/services",
        "service": f"/admin/services/{moving.service_id}",
        "servers": "/admin/servers",
        "server": f"/admin/servers/{aside}",
        "server-off": f"/admin/servers/{latest.server_id}",
        "reconcile-power": f"/admin/servers/{latest.server_id}/reconcile-power",
        "deed": f"/admin/servers/{aside}/release",
        "rack": f"/admin/racks/{rack}",
        "nodes": "/admin/nodes",
        "server-at-cloud": f"/admin/servers/{of_nodes['care']}",
        "node-offer": f"/admin/nodes/{failed}/offer",
        "invoices": "/admin/invoices",
        "invoice": f"/admin/invoices/{unpaid}",
        "credit": f"/admin/invoices/{unpaid}/credit",
        "connections": "/admin/connections",
        "connection": f"/admin/connections/{shop}",
        "connection-kind": "/admin/connections/new",
        "connection-new": "/admin/connections/new/ssh",
        "server-bmc": f"/admin/servers/{stage.servers['fra1-b1-02']}/bmc",
    }


async def enter(
    stage: Stage, make: Contexts, address: str, *, size: str, theme: str, token: str = ""
) -> Page:
    width, height = SIZES[size]
    context = await make(
        viewport={"width": width, "height": height}, reduced_motion="reduce", color_scheme=theme
    )
    token = token or await session_of(stage.database, Role.OWNER)
    await context.add_cookies([{"name": SESSION_COOKIE, "value": token, "url": address}])
    page = await context.new_page()
    await page.add_init_script(WATCH)
    return page


async def faults_of(page: Page) -> dict[str, Any]:
    return {
        "axe": await violations(page),
        "spill": await page.evaluate(SPILL),
        "broken": await page.evaluate("broken"),
    }


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_every_page_is_accessible_within_the_policy_and_the_width(
    stage: Stage,
    contexts: Contexts,
    address: str,
    size: str,
    theme: str,
) -> None:
    pages = await a_busy_day(stage)
    page = await enter(stage, contexts, address, size=size, theme=theme)
    clean = {"axe": [], "spill": 0, "broken": []}
    faults = {}
    for name, path in pages.items():
        await page.goto(address + path)
        if (found := await faults_of(page)) != clean:
            faults[name] = found
    assert faults == {}


async def test_the_dashboard_follows_a_retry(
    stage: Stage,
    contexts: Contexts,
    address: str,
    app: Litestar,
) -> None:
    live: Live = await app.dependencies["live"]()
    stage.database.after_commit = live.publish
    await stage.halted(host="stuck.example.org")
    page = await enter(stage, contexts, address, size="desk", theme="light")
    await page.goto(f"{address}/admin")
    await page.get_by_text("Live", exact=True).wait_for()
    late, _ = await stage.halted(host="later.example.org", error="disk <b>dead</b>")
    await page.get_by_text("disk <b>dead</b>").wait_for()
    row = page.get_by_role("row").filter(has_text=late.hostname)
    await row.get_by_role("button", name="Retry").click()
    await page.get_by_text("“Install OS” is tried again.").wait_for()
    moving = page.get_by_role("table", name="Orders in flight")
    await moving.get_by_text(late.hostname).wait_for()
    assert await page.evaluate("broken") == []


async def test_an_opened_attempt_stays_open_while_the_run_goes_on(
    stage: Stage,
    contexts: Contexts,
    address: str,
    app: Litestar,
) -> None:
    live: Live = await app.dependencies["live"]()
    stage.database.after_commit = live.publish
    _, run = await stage.installing()
    page = await enter(stage, contexts, address, size="desk", theme="light")
    await page.goto(f"{address}/admin/runs/{run}")
    await page.get_by_text("Live", exact=True).wait_for()
    opened = page.locator("details.sw-attempt-detail").first
    await opened.locator("summary").click()
    async with stage.database.transaction() as tx:
        await tx.execute(
            "UPDATE step_attempt SET error = 'it restarts now' WHERE run = $1 AND node = 'install'",
            run,
        )
        tx.publish(f"run:{run}")
    await page.get_by_text("it restarts now").first.wait_for()
    assert await opened.get_attribute("open") is not None
    # The list of runs follows, too: what gets stuck comes first.
    await page.goto(f"{address}/admin/runs")
    await page.get_by_text("Live", exact=True).wait_for()
    late, _ = await stage.halted(host="late.example.org", client=1)
    await page.get_by_role("row").nth(1).get_by_text(late.hostname).wait_for()


@pytest.mark.parametrize("size", ["desk", "phone"])
async def test_a_flow_is_compared_bound_and_run_by_hand(
    stage: Stage, contexts: Contexts, address: str, app: Litestar, size: str
) -> None:
    live: Live = await app.dependencies["live"]()
    stage.database.after_commit = live.publish
    async with stage.database.transaction() as tx:
        await publish(tx, every_field(), note="asks for everything")
    order, _ = await stage.installing(host="shop.example.org")
    page = await enter(stage, contexts, address, size=size, theme="light")
    await page.goto(f"{address}/admin/flows/dedicated-server")
    await page.get_by_text("Live", exact=True).wait_for()
    await publish_other(stage)
    await page.get_by_text("named Put it in").wait_for()  # told by the live region
    await page.reload()
    await page.get_by_role("button", name="Compare").click()
    await page.locator("ins", has_text="Put it in").wait_for()
    await page.goto(f"{address}/admin/flows/every-field")
    await page.get_by_role("button", name="Bind", exact=True).click()
    await page.get_by_text("It serves dedicated from now on.").wait_for()
    await page.get_by_role("button", name="Unbind it").click()
    await page.get_by_text("No flow serves dedicated now.").wait_for()
    await page.get_by_role("button", name="Bind", exact=True).click()
    await page.get_by_text("It serves dedicated from now on.").wait_for()
    await page.get_by_role("link", name="Run now").click()
    await page.get_by_label("Service").fill(f"#{order.number}")
    await page.get_by_role("button", name="Add to Disks").click()
    await page.get_by_role("group", name="No. 2").get_by_label("Gb").fill("many")
    await page.get_by_role("button", name="Run now").click()
    await page.get_by_text("Type a number, such as 12 or 0.5.").first.wait_for()
    assert await page.get_by_role("button", name="Remove no. 2").is_visible()
    await page.get_by_role("group", name="No. 2").get_by_label("Gb").fill("480")
    await page.get_by_label("Name", exact=True).fill("Ada")
    await page.get_by_role("button", name="Run now").click()
    await page.get_by_text("The run is queued.").wait_for()
    assert await faults_of(page) == {"axe": [], "spill": 0, "broken": []}
