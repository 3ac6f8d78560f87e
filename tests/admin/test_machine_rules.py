"""The machine rules of a product: offered what providers have, changed, and shown where it is sold."""

from typing import Any

import pytest
from msgspec.structs import replace

from app.core.errors import Invalid
from app.domain.accounts.roles import Role
from app.domain.catalog.find import find_product
from app.domain.catalog.selection import read_selection
from app.domain.machines.choose import Chosen
from app.domain.machines.errand import ERRAND
from app.domain.machines.note import note_ejected, note_machine
from app.domain.machines.plan import write_plan
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.place import OrderRequest, place
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.drivers.errors import Unreachable
from app.drivers.hypervisor.contract import (
    HypervisorPeer,
    Offer,
    Offers,
    Size,
    Vm,
    VmPower,
)
from app.drivers.peers import Peers
from app.routes.admin.machines_typed import machine_rules_of, values_of
from tests.admin.conftest import Enter
from tests.admin.stage import Stage
from tests.catalog.shop import FORM
from tests.machines.books import a_machine_of
from tests.machines.world import RULES, a_cluster, a_machine_order, a_machine_shop, a_site, pay
from tests.security.browser import Browser
from tests.security.test_pages import errors_of

NEW = "/admin/stock/virtual/new"
HERE = "/admin/stock/products/vm-1/machines"
OFFERS = Offers(
    nodes=(Offer("pve1", "pve1"),),
    templates=(Offer("debian-12", "debian-12 (9000)", "pve1"), Offer("noble", "noble (9001)")),
    storages=(Offer("ceph", "ceph"),),
    bridges=(Offer("vmbr0", "vmbr0", "pve1"),),
)
ISO = "local:iso/debian-13.iso"
FULL = replace(
    RULES,
    places=(
        replace(RULES.places[0], rack="A1", nodes=("pve1",), storage="ceph", bridge="vmbr0"),
        RULES.places[0],
    ),
)


@pytest.fixture(autouse=True)
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """`pve` says what it has; any other provider does not answer."""

    def hypervisor(_: Peers, peer: HypervisorPeer, __: object) -> Any:
        class Cluster:
            async def offers(self) -> Offers:
                if peer.name != "pve":
                    raise Unreachable(peer.name, "no route to it")
                return OFFERS

            async def isos(self, like: str = "") -> tuple[Offer, ...]:
                return (Offer(ISO, "debian-13.iso (local)", "pve1"),)

            async def eject(self, *_: object) -> None:
                """It is asked for nothing but what it has."""

        return Cluster()

    monkeypatch.setattr(Peers, "hypervisor", hypervisor)


def test_rules_are_typed_as_they_are_told() -> None:
    systems = list(FULL.templates)
    assert machine_rules_of(values_of(FULL) | {"reason": "why"}, systems) == (FULL, "why")
    with pytest.raises(Invalid) as refused:
        machine_rules_of({"cores": "0", "places.1.connection": "pve"}, ["debian-12"])
    assert set(refused.value.fields) == {
        "reason", "cores", "memory_mb", "disk_gb", "templates.debian-12", "places.1.datacentre",
    }  # fmt: skip
    far = values_of(FULL) | {"places.999.connection": "pve", "places.x.connection": "pve"}
    assert machine_rules_of(far | {"reason": "why"}, systems) == (FULL, "why")


async def test_they_are_changed_by_what_the_providers_have(stage: Stage, owner: Browser) -> None:
    async with stage.database.transaction() as tx:
        await a_machine_shop(tx, stage.vault)
        await a_cluster(tx, stage.vault, name="ams-pve")
    page = (await owner.get(HERE)).text
    assert "ams-pve cannot be asked what it has" in page
    assert "No route to it. Names are taken as you type them." in page
    assert '<option value="ceph">ceph</option>' in page
    typed = values_of(FULL) | {"templates.ubuntu-24.04": "jammy", "reason": "more room"}
    wrong = {"places.0.storage": "nfs", "places.x.connection": "pve"}
    refused = await owner.send_form(HERE, HERE, typed | wrong)
    assert (refused.status_code, errors_of(refused.text)) == (
        422,
        {
            "templates.ubuntu-24.04": "pve has no template jammy.",
            "places.0.storage": "pve has no nfs.",
        },
    )
    assert "jammy (not there now)" in refused.text
    typed |= {"templates.ubuntu-24.04": "noble", "places.1.connection": "ams-pve"}
    lost = await owner.send_form(HERE, HERE, typed)
    assert errors_of(lost.text) == {"places.0.rack": "There is no rack A1 in fra1."}
    saved = await owner.send_form(HERE, HERE, typed | {"places.0.rack": ""})
    assert saved.status_code == 303
    shown = (await owner.get(saved.headers["location"])).text
    assert "Saved. ams-pve could not be asked whether it has all that." in shown
    assert "addresses of fra1; nodes pve1; storage ceph; bridge vmbr0" in shown
    assert "Allocation rules" not in shown
    async with stage.database.snapshot() as tx:
        rules = (await find_product(tx, "vm-1")).machine_rules
        reason = await tx.fetchval("SELECT reason FROM audit_entry ORDER BY id DESC LIMIT 1")
    assert rules is not None
    assert [place.connection for place in rules.places] == ["pve", "ams-pve"]
    assert (rules.templates["ubuntu-24.04"], reason) == ("noble", "more room")
    servers = await owner.send_form(
        HERE, "/admin/stock/products/metal-s/machines", typed | {"places.0.rack": ""}
    )
    assert servers.status_code == 422


async def test_a_system_is_a_template_or_an_iso(stage: Stage, owner: Browser) -> None:
    async with stage.database.transaction() as tx:
        await a_machine_shop(tx, stage.vault)
    page = (await owner.get(HERE)).text
    assert "Template or ISO of Debian 12" in page
    assert f'<option value="{ISO}">ISO: debian-13.iso on local</option>' in page
    typed = values_of(RULES) | {"templates.ubuntu-24.04": "local:iso/gone.iso", "reason": "ISOs"}
    refused = await owner.send_form(HERE, HERE, typed)
    assert errors_of(refused.text) == {
        "templates.ubuntu-24.04": "pve has no ISO local:iso/gone.iso."
    }
    assert "local:iso/gone.iso (not there now)" in refused.text
    saved = await owner.send_form(HERE, HERE, typed | {"templates.ubuntu-24.04": ISO})
    shown = (await owner.get(saved.headers["location"])).text
    assert "ISO of ubuntu-24.04" in shown
    assert ISO in shown
    assert ISO in (await owner.get(NEW)).text


async def test_a_product_is_put_on_sale_by_hand(stage: Stage, owner: Browser) -> None:
    """Its category and the flows of that come with it; the next one goes into that category."""
    async with stage.database.transaction() as tx:
        await a_cluster(tx, stage.vault)
        await a_site(tx)
    assert "/admin/stock/virtual/new" in (await owner.get("/admin/stock")).text
    empty = await owner.send_form(NEW, NEW, {"currency": "euro", "role": ""})
    assert empty.status_code == 422
    assert set(errors_of(empty.text)) == {
        "name", "slug", "new_category", "currency", "role", "systems", "cores", "memory_mb",
        "disk_gb", "places.0.connection", "places.0.datacentre", "reason",
    }  # fmt: skip
    typed = {
        "name": "Cloud S", "slug": "cloud-s", "new_category": "Virtual servers", "price": "6.90",
        "currency": "EUR", "role": "public", "cores": "2", "memory_mb": "4096", "disk_gb": "40",
        "systems": "debian-12, Debian 12, debian-12\nubuntu, Ubuntu, jammy",
        "places.0.connection": "pve", "places.0.datacentre": "fra1", "reason": "clients ask for it",
    }  # fmt: skip
    for wrong, field in (
        ({}, "systems"),
        ({"systems": "debian-12"}, "systems"),
        ({"systems": "Debian, Debian 12, debian-12"}, "systems"),
        ({"systems": "a, A, noble\na, B, noble"}, "systems"),
        ({"slug": "metal-s", "systems": "a, A, noble"}, "slug"),
        ({"slug": "Cloud S"}, "slug"),
        ({"price": "much"}, "price"),
        ({"new_category": "Dedicated", "systems": "a, A, noble"}, "new_category"),
        ({"category": "gone", "systems": "a, A, noble"}, "category"),
    ):
        refused = await owner.send_form(NEW, NEW, typed | wrong)
        assert (refused.status_code, set(errors_of(refused.text))) == (422, {field}), wrong
    typed["systems"] = "debian-12, Debian 12, debian-12\nubuntu, Ubuntu, noble"
    saved = await owner.send_form(NEW, NEW, typed)
    assert saved.headers["location"] == "/admin/stock/products/cloud-s"
    more = {"name": "Cloud M", "slug": "cloud-m", "category": "virtual-servers", "ipv6": "on"}
    assert (await owner.send_form(NEW, NEW, typed | more)).status_code == 303
    async with stage.database.transaction() as tx:
        product = await find_product(tx, "cloud-s")
        flows = await tx.fetch(
            "SELECT f.slug FROM flow_binding b JOIN flow f ON f.id = b.flow "
            "WHERE b.category = $1 ORDER BY 1",
            product.category_id,
        )
        selection = read_selection(product, FORM | {"os": "ubuntu"})
        request = OrderRequest(
            account=stage.clients[0], product="cloud-s", selection=selection, idempotency_key="1"
        )
        order = await place(tx, request)
        other = await find_product(tx, "cloud-m")
    assert [row["slug"] for row in flows] == [
        "vps-proxmox", "vps-reinstall-asked", "vps-suspended", "vps-terminated", "vps-unsuspended",
    ]  # fmt: skip
    assert order.total_minor == 690
    assert other.category_id == product.category_id
    assert other.address_rules.ipv6_length == 64


async def test_staff_see_a_virtual_server_without_rack_and_bmc(stage: Stage, enter: Enter) -> None:
    async with stage.database.transaction() as tx:
        await a_machine_shop(tx, stage.vault)
        order = await a_machine_order(tx, stage.clients[0])
        await pay(tx, order)
        await mark_provisioning(tx, order.id)
        service = await open_service(tx, order.id)
    staff = await enter(Role.OPERATOR)
    assert "Not planned yet" in (await staff.get(f"/admin/services/{service}")).text
    vm = Vm(
        id="612345", node="pve1", name=order.hostname, power=VmPower.RUNNING, service=service,
        size=Size(cores=1, memory_mb=512, disk_gb=5),
    )  # fmt: skip
    async with stage.database.transaction() as tx:
        await write_plan(tx, service, Chosen(RULES.places[0], "pve1"), RULES.size, "debian-12")
        await note_machine(tx, service, vm)
        await deliver_service(tx, service, server=None)
    page = (await staff.get(f"/admin/services/{service}")).text
    for words in ("612345", "pve1", "1 core, 512 MB memory, 5 GB disk", "debian-12"):
        assert words in page
    assert "Installations" not in page
    assert order.hostname in (await staff.get("/admin/services?q=612345")).text
    assert order.hostname not in (await staff.get("/admin/services?q=612346")).text
    shown = (await staff.get(f"/admin/orders/{order.id}")).text
    assert "100.64.7.2" in shown
    assert "Why none?" not in shown
    asked = await staff.get(f"/admin/orders/{order.id}/allocation")
    assert asked.status_code == 409


async def test_staff_take_the_iso_out(stage: Stage, enter: Enter) -> None:
    async with stage.database.transaction() as tx:
        await a_machine_shop(tx, stage.vault)
        service = await a_machine_of(tx, stage.clients[0], 101, template=ISO)
    here = f"/admin/services/{service}"
    staff, clerk = await enter(Role.OPERATOR), await enter(Role.FINANCE)
    page = (await staff.get(here)).text
    for words in (ISO, "in its drive", "Its client installs it.", f'action="{here}/eject"'):
        assert words in page, words
    assert "Take the ISO out" not in (await clerk.get(here)).text
    assert (await clerk.send_form(here, f"{here}/eject")).status_code == 403
    for said in ("A worker takes the ISO out", "This is being done already"):
        assert (await staff.send_form(here, f"{here}/eject")).status_code == 303
        assert said in (await staff.get(here)).text
    async with stage.database.transaction() as tx:
        assert await tx.fetchval(
            "SELECT payload->>'deed' FROM outbox WHERE topic = $1", ERRAND
        ) == ("eject")
        await note_ejected(tx, service)
    assert "taken out" in (await staff.get(here)).text
