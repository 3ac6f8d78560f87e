"""A virtual server that its client installs from an ISO: from the order to its end, at a real peer."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.domain.machines.errand import Deed
from app.domain.machines.order_power import NotNow
from app.domain.orders.states import OrderState
from app.domain.services.ask import PATIENCE
from app.domain.services.find import find_service
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.drivers.hypervisor.contract import VmPower
from app.drivers.hypervisor.virtualizor.adapter import Virtualizor
from app.flows import answering, machines
from app.flows.steer import cancel_run
from tests.drivers.hypervisor.pve import ISO
from tests.machines.ills import (
    BY,
    asked_for,
    by_hand,
    each_call_fails,
    each_call_of_a_life_fails,
    end,
)
from tests.machines.sale import Sale
from tests.machines.test_power import click, switching
from tests.machines.watching import do_errands
from tests.machines.world import RULES, set_rules

FILE = ISO.rpartition("/")[2]
BOTH = replace(RULES, templates={"debian-12": ISO, "ubuntu-24.04": "ubuntu-24.04"})


@pytest.fixture(autouse=True)
async def rules(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    """Debian is an ISO, Ubuntu a template; of what is installed by hand nobody waits for SSH."""
    async with sale.desk.database.transaction() as tx:
        await set_rules(tx, BOTH)
    banner = answering.ssh_banner

    async def of_templates(*at: Any, **within: Any) -> str:
        assert await sale.desk.value("SELECT count(*) FROM machine WHERE is_iso_in") == 0
        return await banner(*at, **within)

    monkeypatch.setattr(answering, "ssh_banner", of_templates)


async def config_of(sale: Sale) -> dict[str, Any]:
    (vm,) = await sale.machines()
    config: dict[str, Any] = await sale.cluster._api.get(f"nodes/{vm.node}/qemu/{vm.id}/config")
    return config


async def test_it_is_sold_installed_by_its_client_and_ended(sale: Sale) -> None:
    (order,) = await sale.buy(None, extra_ipv4="1")
    await sale.go_on()
    order = await sale.order(order)
    assert (order.state, order.state_reason) == (OrderState.delivered, "")
    service = order.service_id
    assert service is not None
    (vm,) = await sale.machines()
    assert (vm.service, vm.power, vm.name) == (service, VmPower.RUNNING, "vm0.example.org")
    config = await config_of(sale)
    assert config["ide2"].startswith(f"{ISO},media=cdrom")
    assert config["boot"] == "order=scsi0;ide2"
    await _told_and_shown(sale, service)

    assert (await switching(sale, service)).has_iso
    await click(sale, service, Deed.eject)
    await do_errands(sale)
    assert (await config_of(sale))["ide2"] == "none,media=cdrom"
    assert not (await switching(sale, service)).has_iso
    with pytest.raises(NotNow, match="No ISO"):
        await click(sale, service, Deed.eject)

    await _another_system(sale, service, config)
    for deed, state in (
        (suspend_service, (VmPower.STOPPED, True)),
        (unsuspend_service, (VmPower.RUNNING, False)),
    ):
        async with sale.desk.database.transaction() as tx:
            await deed(tx, service, **BY)
        await sale.go_on()
        (vm,) = await sale.machines()
        assert (vm.power, vm.is_suspended) == state
    package = {"cores": 2, "memory_mb": 1024, "disk_gb": 20}
    assert await by_hand(sale, "vps-resize", [service], package) == {"succeeded"}
    assert (await config_of(sale))["memory"] in {1024, "1024"}
    await end(sale, [order])
    assert await sale.machines() == []
    assert await sale.addresses(order) == []


async def _told_and_shown(sale: Sale, service: UUID) -> None:
    """The mail and the page have the addresses, and promise no way in."""
    mail = await sale.desk.mail("service-to-install")
    for line in (
        f"vm0.example.org (VM-1) runs from {FILE}: Debian 12 is",
        "IPv4 address: 100.64.7.2/24",
        "Netmask: 255.255.255.0",
        "Gateway: 100.64.7.1",
        "Additional IPv4: 100.64.7.3",
        "Name server: 9.9.9.9",
        f"https://portal.example/services/{service}/console",
    ):
        assert line in mail.lines
    assert "ssh" not in mail.text.lower()
    assert await sale.desk.value("SELECT count(*) FROM credential") == 0
    assert await sale.desk.value("SELECT count(*) FROM mail WHERE code = 'service-delivered'") == 0
    async with sale.desk.database.snapshot() as tx:
        shown = await find_service(tx, service, account=sale.account)
    assert (shown.iso, shown.has_password) == (FILE, False)


async def _another_system(sale: Sale, service: UUID, config: dict[str, Any]) -> None:
    """From the ISO to a template and back; an ISO that vanished costs nothing."""
    (vm,) = await sale.machines()
    assert await asked_for(sale, service, "ubuntu-24.04") == "succeeded"
    copied = await config_of(sale)
    assert (copied["ciuser"], copied["net0"].split(",")[0]) == (
        "root", config["net0"].split(",")[0],
    )  # fmt: skip
    assert copied["ipconfig0"] == "ip=100.64.7.2/24,gw=100.64.7.1"
    async with sale.desk.database.snapshot() as tx:
        shown = await find_service(tx, service, account=sale.account)
    assert (shown.iso, shown.has_password) == ("", True), "this one has a password"
    gone = "local:iso/gone.iso"
    async with sale.desk.database.transaction() as tx:
        await set_rules(tx, replace(BOTH, templates=BOTH.templates | {"debian-12": gone}))
    assert await asked_for(sale, service, "debian-12") == "halted"
    told = await sale.desk.value(
        "SELECT error::text FROM step_attempt WHERE node = 'machine' AND status = 'failed'"
    )
    assert f"there is no ISO {gone}; its storage has" in told
    assert await config_of(sale) == copied, "nothing was removed before that"
    sale.desk.clock.advance(seconds=PATIENCE.total_seconds())
    async with sale.desk.database.transaction() as tx:
        await cancel_run(tx, await tx.fetchval("SELECT id FROM run WHERE status = 'halted'"))
        await set_rules(tx, BOTH)
    await sale.go_on()
    assert await asked_for(sale, service, "debian-12") == "succeeded"
    again = await config_of(sale)
    assert (again["net0"], again["boot"]) == (config["net0"], config["boot"])
    assert again["ide2"].startswith(f"{ISO},media=cdrom")
    (anew,) = await sale.machines()
    assert (anew.id, anew.node, anew.power) == (vm.id, vm.node, VmPower.RUNNING)
    async with sale.desk.database.snapshot() as tx:
        shown = await find_service(tx, service, account=sale.account)
    assert (shown.iso, (await switching(sale, service)).has_iso) == (FILE, True)


async def test_an_order_waits_for_an_iso_that_is_not_there(sale: Sale) -> None:
    """Staff are told which is missing, and nothing is made."""
    gone = replace(BOTH, templates=BOTH.templates | {"debian-12": "local:iso/gone.iso"})
    async with sale.desk.database.transaction() as tx:
        await set_rules(tx, gone)
    (order,) = await sale.buy(None)
    await sale.go_on(rounds=4)
    told = " ".join((await sale.desk.mail("staff-notice")).text.split())
    assert "pve: no ISO is called local:iso/gone.iso; there are local:iso/Win" in told
    assert ISO in told
    assert await sale.machines() == []
    assert (await sale.order(order)).state is OrderState.provisioning


async def test_a_panel_refuses_an_iso(sale: Sale, monkeypatch: pytest.MonkeyPatch) -> None:
    (order,) = await sale.buy(None)
    panel = Virtualizor.__new__(Virtualizor)

    async def by_panel(*_: Any) -> Any:
        return panel

    monkeypatch.setattr(machines, "hypervisor_at", by_panel)
    await sale.go_on()
    told = await sale.desk.value(
        "SELECT error::text FROM step_attempt WHERE node = 'machine' AND status = 'failed'"
    )
    assert "pve installs from no ISO; name a template of its in place of local:iso/" in told
    assert (await sale.order(order)).state is OrderState.provisioning


async def test_a_call_that_fails_costs_a_retry_and_leaves_nothing_behind(sale: Sale) -> None:
    await each_call_fails(sale, changes=2)


async def test_each_call_of_its_life_may_fail(sale: Sale) -> None:
    await each_call_of_a_life_fails(sale, {"cores": 2, "memory_mb": 1024, "disk_gb": 20})
