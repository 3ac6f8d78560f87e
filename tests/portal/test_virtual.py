"""A virtual server in the portal: ordered by its form, and its page without what it has not."""

import pytest
from msgspec.structs import replace

from app.core.clock import SetClock
from app.core.database import Database
from app.core.secrets import Vault
from app.domain.accounts.views import AccountView
from app.domain.machines.choose import Chosen
from app.domain.machines.note import note_ejected, note_machine, note_template
from app.domain.machines.plan import write_plan
from app.domain.notices.shipped import install_templates
from app.domain.orders.find import orders_of
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.services.credentials import keep_access
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.domain.usage.note import note_usage
from app.drivers.hypervisor.contract import Size, Vm, VmPower
from app.flows.shipped import serve_categories
from tests.conftest import START
from tests.drivers.hypervisor.pve import ISO
from tests.machines.books import a_machine_of
from tests.machines.world import PLACE, RULES, a_machine_shop, pay, set_rules
from tests.portal.test_order_form import key_of
from tests.portal.world import FORM
from tests.security.browser import Browser
from tests.usage.test_samples import sample


@pytest.fixture
async def shop(database: Database, vault: Vault) -> None:
    async with database.transaction() as tx:
        await a_machine_shop(tx, vault)


async def test_it_is_ordered_paid_and_shown(
    client: Browser, database: Database, vault: Vault, ada: AccountView, shop: None
) -> None:
    assert "VM-1" in (await client.get("/")).text
    page = (await client.get("/products/vm-1")).text
    assert "253 available" in page
    values = {**FORM, "idempotency_key": key_of(page), "hostname": "vm.example.org"}
    sent = await client.send_form("/products/vm-1", "/products/vm-1/order", values)
    assert sent.status_code == 303, sent.text
    async with database.transaction() as tx:
        (order,) = (await orders_of(tx, ada.id)).items
        shown = (await client.get(f"/orders/{order.id}")).text
        assert "Reserved for you" in shown
        await pay(tx, order)
        await mark_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
        await keep_access(tx, vault, service, keys_only=False)
        await write_plan(tx, service, Chosen(PLACE, "pve1"), RULES.size, "debian-12")
        vm = Vm(
            id="612345", node="pve1", name=order.hostname, power=VmPower.RUNNING, service=service,
            size=Size(cores=2, memory_mb=4096, disk_gb=40),
        )  # fmt: skip
        await note_machine(tx, service, vm)
        await deliver_service(tx, service, server=None)
    page = (await client.get(f"/services/{service}")).text
    for words in (
        "2 cores, 4 GB memory, 40 GB disk",
        "Frankfurt",
        "ssh root@100.64.7.2",
        "Running",
    ):
        assert words in page, words
    for words in ("pve", "612345", "Rack"):
        assert words not in page, words
    assert "100.64.7.2" in (await client.get("/services")).text


async def test_what_it_used_is_shown(
    client: Browser, database: Database, clock: SetClock, ada: AccountView, shop: None
) -> None:
    async with database.transaction() as tx:
        service = await a_machine_of(tx, ada.id, 101)
        here = f"/services/{service}/usage"
    assert here in (await client.get(f"/services/{service}")).text
    assert "Nothing measured in this time" in (await client.get(here)).text
    async with database.transaction() as tx:
        await note_usage(tx, service, [sample(int(START.timestamp()), 1_000_000.0)])
    clock.advance(hours=1)
    for span in ("day", "week", "month", "year", "nonsense"):
        page = (await client.get(f"{here}?span={span}")).text
        assert "Network: In 8 Mbit/s, Out 16 Mbit/s" in page
        assert "Processor: Used 50 %" in page
    assert "60.0 MB" in page
    assert "16.0 Mbit/s" in page
    assert "60.0 MB" in (await client.get(f"{here}/now")).text


async def test_it_is_switched_by_its_client(
    client: Browser, database: Database, ada: AccountView, shop: None
) -> None:
    async with database.transaction() as tx:
        service = await a_machine_of(tx, ada.id, 101)
    here = f"/services/{service}"
    page = (await client.get(here)).text
    assert f'action="{here}/power/stop"' in page
    assert f'action="{here}/power/restart"' in page
    for words in (f'action="{here}/power/start"', "power/kill", "being shut down"):
        assert words not in page, words
    assert (await client.send_form(here, f"{here}/power/remove")).status_code == 404
    assert (await client.send_form(here, f"{here}/power/kill")).status_code == 404
    sent = await client.send_form(here, f"{here}/power/stop")
    assert (sent.status_code, sent.headers["location"]) == (303, here)
    status = (await client.get(f"{here}/status")).text
    assert "It is being shut down" in status
    assert "data-dialog-open" not in status
    await client.send_form(here, f"{here}/power/start")
    assert "being done already" in (await client.get(here)).text
    async with database.transaction() as tx:
        assert await tx.fetchval(
            "SELECT array_agg(DISTINCT action || ' by ' || actor_label) FROM audit_entry "
            "WHERE subject = $1 AND action LIKE 'machines.%'", service,
        ) == ["machines.stop by ada@example.com"]  # fmt: skip
        await tx.execute("UPDATE outbox SET done_at = now() WHERE topic = 'machine.errand'")
        await tx.execute("UPDATE machine SET power = 'off'")
    assert f'action="{here}/power/start"' in (await client.get(f"{here}/status")).text
    answers = [(await client.send_form(here, f"{here}/power/start")).status_code for _ in range(12)]
    assert answers[0] == 303
    assert answers[-1] == 429


async def test_it_is_installed_from_an_iso_by_its_client(
    client: Browser, database: Database, vault: Vault, ada: AccountView, shop: None
) -> None:
    """The form, the page and the question before a reinstallation say so, and promise no way in."""
    templates = {"debian-12": ISO, "ubuntu-24.04": "jammy"}
    async with database.transaction() as tx:
        await set_rules(tx, replace(RULES, templates=templates))
        service = await a_machine_of(tx, ada.id, 101, template=ISO)
        await install_templates(tx)
        await serve_categories(tx)
    form = (await client.get("/products/vm-1")).text
    assert form.count("You install it yourself on its screen, from an ISO") == 1
    here = f"/services/{service}"
    page = (await client.get(here)).text
    for words in (
        "debian-13.1.0-amd64-netinst.iso",
        "in its drive",
        "Nobody has set a password or a key in it",
        "No DHCP hands them out",
        "9.9.9.9",
        "100.64.7.1 (/24)",
        f'href="{here}/console"',
        f'action="{here}/power/eject"',
        "Take the ISO out",
    ):
        assert words in page, words
    for words in ("ssh root@", "Show the password", "passwd", "apt update"):
        assert words not in page, words
    asks = (await client.get(f"{here}/reinstall")).text
    assert "Debian 12 (installed by hand, from an ISO)" in asks
    assert "Ubuntu 24.04 (installed" not in asks
    sent = await client.send_form(here, f"{here}/power/eject")
    assert (sent.status_code, sent.headers["location"]) == (303, here)
    assert "The ISO is being taken out" in (await client.get(f"{here}/status")).text
    async with database.transaction() as tx:
        await tx.execute("UPDATE outbox SET done_at = now() WHERE topic = 'machine.errand'")
        await note_ejected(tx, service)
    assert 'data-dialog-open="power-eject' not in (await client.get(f"{here}/status")).text
    assert "taken out of its drive" in (await client.get(here)).text
    await client.send_form(here, f"{here}/power/eject")
    assert "No ISO is in its drive." in (await client.get(here)).text
    async with database.transaction() as tx:
        await keep_access(tx, vault, service, keys_only=False)
        await note_template(tx, service, "jammy")
    copied = (await client.get(here)).text
    assert "ssh root@100.64.7.2" in copied
    assert "Show the password" in copied
