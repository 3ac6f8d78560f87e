"""What only a browser can tell of the address space's pages: looks, keys, liveness."""

from typing import Any

import pytest
from litestar import Litestar
from playwright.async_api import expect

from app.core.live import Live
from app.domain.addresses.add import add_prefix, add_vrf
from app.domain.addresses.audit import audit_addresses
from app.domain.addresses.by_hand import HandClaim, claim_address
from app.domain.addresses.divide import split_prefix
from app.domain.addresses.keep import keep
from app.domain.addresses.name_address import name_address
from app.domain.addresses.release_by_hand import release_by_hand
from app.domain.addresses.seed import PrefixSeed, VrfSeed
from app.domain.addresses.states import PrefixStatus
from tests.admin.stage import Stage
from tests.admin.test_looks import address, enter, faults_of
from tests.chromium import Contexts, until

__all__ = ["address"]  # a fixture

STAFF: dict[str, Any] = {"actor": None, "actor_label": "ops@slipway.test"}
CLEAN = {"axe": [], "spill": 0, "broken": []}


async def a_space(stage: Stage) -> dict[str, str]:
    """Fill the address space, and return the pages to look at."""
    orders = [await stage.order(host=f"web-{n}.example.org", client=n % 3) for n in range(8)]
    await stage.delivered(host="shop.example.org")
    async with stage.database.transaction() as tx:
        await add_vrf(tx, VrfSeed(name="mgmt"), **STAFF)
        made = {}
        for network, facts in {
            "198.51.100.0/24": {"status": PrefixStatus.container, "note": "Bought in 2011"},
            "10.0.0.0/8": {"status": PrefixStatus.container, "vrf": "mgmt"},
            "10.20.0.0/16": {"vrf": "mgmt", "purpose": "bmc", "auto_allocatable": False},
            "192.0.2.0/24": {"vlan_group": "ams1-access", "vid": 7, "gateway": "192.0.2.1"},
            "100.64.0.0/20": {"status": PrefixStatus.deprecated},
        }.items():
            seed = PrefixSeed(network=network, datacentre="ams1", **facts)
            made[network] = await add_prefix(tx, seed, **STAFF)
        await split_prefix(tx, made["100.64.0.0/20"], 21, **STAFF)
        terms = HandClaim(reason="route reflector", purpose="router")
        await claim_address(tx, made["192.0.2.0/24"], "192.0.2.5-192.0.2.9", terms, **STAFF)
        await claim_address(tx, made["10.20.0.0/16"], "10.20.3.9", terms, **STAFF)
        claim = await tx.fetchval(
            "SELECT id FROM address_claim WHERE position = 8 AND reason <> ''"
        )
        await release_by_hand(tx, claim, seq=1, reason="replaced", **STAFF)
        lowest = "SELECT id FROM prefix WHERE network = $1"
        primary = await tx.fetchval(lowest, "198.51.100.0/25")
        six = await tx.fetchval(lowest, "2001:db8:16::/48")
        kept: dict[str, Any] = {"reason": "by contract", "expires_at": None, **STAFF}
        await keep(tx, primary, "198.51.100.64/28", client=stage.clients[1], **kept)
        reservation = await keep(
            tx, six, "2001:db8:16:f000::/52", client=None, purpose="lab", **kept
        )
        await name_address(tx, "192.0.2.5", "rr1.example.net", holder=None, **STAFF)
        await audit_addresses(tx)
        await tx.execute("UPDATE address_claim SET client = $1 WHERE holder = $2",
                         stage.clients[2], orders[0].id)  # fmt: skip
        await audit_addresses(tx)
        audit = await tx.fetchval("SELECT id FROM address_audit ORDER BY drifts DESC LIMIT 1")
        group = await tx.fetchval("SELECT id FROM vlan_group WHERE name = 'ams1-access'")
        claim = await tx.fetchval("SELECT id FROM address_claim WHERE reason = 'route reflector'")
    prefixes, addresses = "/admin/prefixes", "/admin/addresses"
    return {
        "prefixes": prefixes,
        "prefix": f"{prefixes}/{primary}",
        "prefix-hand": f"{prefixes}/{made['192.0.2.0/24']}",
        "prefix-large": f"{prefixes}/{made['10.20.0.0/16']}?at=777",
        "prefix-six": f"{prefixes}/{six}?at=61440",
        "prefix-container": f"{prefixes}/{made['198.51.100.0/24']}",
        "prefix-new": f"{prefixes}/new",
        "prefix-change": f"{prefixes}/{primary}/change",
        "prefix-import": f"{prefixes}/import",
        "prefix-split": f"{prefixes}/{primary}/split",
        "addresses": addresses,
        "addresses-client": f"{addresses}?q=client",
        "address": f"{addresses}/192.0.2.8",
        "address-claim": f"{addresses}/new",
        "address-release": f"{addresses}/claims/{claim}/release",
        "address-change": f"{addresses}/claims/{claim}/change",
        "reverse-dns": "/admin/reverse-dns?address=192.0.2.5",
        "vrfs": "/admin/vrfs",
        "vrf-new": "/admin/vrfs/new",
        "vlans": "/admin/vlans",
        "vlan": f"/admin/vlans/{group}",
        "vlan-new": "/admin/vlans/new",
        "reservations": "/admin/reservations",
        "reservation-new": "/admin/reservations/new",
        "reservation-end": f"/admin/reservations/{reservation}/end",
        "audits": "/admin/address-audits",
        "audit": f"/admin/address-audits/{audit}",
    }


@pytest.mark.parametrize(("size", "theme"), [("desk", "light"), ("phone", "dark")])
async def test_every_page_is_accessible_within_the_policy_and_the_width(
    stage: Stage, contexts: Contexts, address: str, size: str, theme: str
) -> None:
    pages = await a_space(stage)
    page = await enter(stage, contexts, address, size=size, theme=theme)
    faults = {}
    for name, path in pages.items():
        await page.goto(address + path)
        if (found := await faults_of(page)) != CLEAN:
            faults[name] = found
    await page.goto(f"{address}/admin/prefixes/import")
    await page.get_by_label("Or its content").fill("prefix,site\n10.0.0.0/24,ams1\n10.0.0.1/24,x\n")
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_text("1 row cannot be taken in").wait_for()
    if (found := await faults_of(page)) != CLEAN:
        faults["refused"] = found
    await page.get_by_role("button", name="Change it, or choose another file").click()
    await expect(page.get_by_label("Or its content")).to_have_value(
        "prefix,site\n10.0.0.0/24,ams1\n10.0.0.1/24,x\n"
    )
    known = "Prefix,Status,Description\n100.64.0.0/20,Container,Carrier-grade NAT\n"
    await page.get_by_label("Or its content").fill(f"{known}10.0.0.0/24,Active,Lab\n")
    await page.get_by_label("Datacentre").select_option("ams1")
    await page.get_by_role("button", name="Look at it").click()
    await page.get_by_text("1 new, 1 changed, 0 as they are").wait_for()
    if (found := await faults_of(page)) != CLEAN:
        faults["preview"] = found
    assert faults == {}


async def test_a_map_is_walked_by_keys_and_follows_what_happens(
    stage: Stage, contexts: Contexts, address: str, app: Litestar
) -> None:
    live: Live = await app.dependencies["live"]()
    stage.database.after_commit = live.publish
    pages = await a_space(stage)
    page = await enter(stage, contexts, address, size="desk", theme="light")
    await page.goto(address + pages["prefix"])
    await page.get_by_text("Live", exact=True).wait_for()
    free = page.get_by_role("link", name="198.51.100.40: free")
    await free.focus()
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowRight")
    label = "document.activeElement.getAttribute('aria-label')"
    assert str(await page.evaluate(label)).startswith("198.51.100.57: ")
    async with stage.database.transaction() as tx:
        prefix = await tx.fetchval("SELECT id FROM prefix WHERE network = '198.51.100.0/25'")
        await claim_address(tx, prefix, "198.51.100.40", HandClaim(reason="probe"), **STAFF)
    await page.get_by_role("link", name="198.51.100.40: reserved, probe").wait_for()
    # The focus stays where it was, and an order's claim shows as well.
    await until(page, f"{label}.startsWith('198.51.100.57: ')")
    order = await stage.order(host="late.example.org")
    await page.get_by_role("link", name=f"held, order #{order.number}").first.wait_for()
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="198.51.100.57").wait_for()
    assert await faults_of(page) == CLEAN
