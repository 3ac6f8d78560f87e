"""A virtual server from the paid order to the delivered mail, and to its end, at a real peer."""

from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core.errors import Invalid
from app.domain.catalog.change_machine_rules import change_machine_rules
from app.domain.catalog.find import find_product
from app.domain.orders.states import OrderState
from app.domain.orders.wait_for_stock import WAITING
from app.domain.services.ask import PATIENCE, ask_reinstall
from app.domain.services.find import find_service
from app.domain.services.list import service_details
from app.domain.services.states import ServiceState
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.domain.services.views import ServiceView
from app.drivers.hypervisor.contract import VmPower
from app.drivers.power import Power
from app.flows.steer import cancel_run
from tests.machines.ills import (
    BY,
    asked_for,
    by_hand,
    each_call_fails,
    each_call_of_a_life_fails,
    end,
)
from tests.machines.sale import Sale
from tests.machines.world import PLACE, RULES, a_cluster, set_rules


async def test_it_is_sold_suspended_and_ended(sale: Sale) -> None:
    """Each event of its life starts the shipped flow, and the provider has it so."""
    desk = sale.desk
    (order,) = await sale.buy(None, extra_ipv4="1")
    await sale.go_on()
    order = await sale.order(order)
    assert (order.state, order.state_reason) == (OrderState.delivered, "")
    assert order.service_id is not None
    (vm,) = await sale.machines()
    assert (vm.service, vm.power, vm.name) == (order.service_id, VmPower.RUNNING, "vm0.example.org")
    config = await sale.cluster._api.get(f"nodes/{vm.node}/qemu/{vm.id}/config")
    assert config["ipconfig0"] == "ip=100.64.7.2/24,gw=100.64.7.1"
    assert config["ipconfig1"] == "ip=100.64.7.3/32"
    assert config["net1"].startswith("virtio=02:")
    assert config["net1"].partition(",")[2] == config["net0"].partition(",")[2]
    mail = await desk.mail("service-delivered")
    installed = "vm0.example.org (VM-1) is installed with Debian 12, and it answers."
    assert installed in mail.lines
    assert "ssh root@100.64.7.2" in mail.text
    async with desk.database.snapshot() as tx:
        shown = await find_service(tx, order.service_id, account=sale.account)
        machine = (await service_details(tx, order.service_id)).machine
    assert (shown.power, shown.server_name, shown.datacentre) == (Power.ON, None, "fra1")
    assert shown.machine is not None
    assert shown.machine.words == "1 core, 512 MB memory, 5 GB disk"
    assert machine is not None
    assert (machine.connection, machine.number, machine.node) == ("pve", vm.id, vm.node)

    assert await by_hand(sale, "vps-reinstall", [order.service_id], {}) == {"succeeded"}
    (again,) = await sale.machines()
    assert (again.id, again.node, again.power) == (vm.id, vm.node, VmPower.RUNNING)
    anew = await sale.cluster._api.get(f"nodes/{vm.node}/qemu/{vm.id}/config")
    kept = ("net0", "net1", "ipconfig0", "ipconfig1")
    assert [anew[name] for name in kept] == [config[name] for name in kept]

    await _another_system(sale, order.service_id, anew)
    async with desk.database.transaction() as tx:
        await suspend_service(tx, order.service_id, **BY)
    await sale.go_on()
    (vm,) = await sale.machines()
    assert (vm.power, vm.is_suspended) == (VmPower.STOPPED, True)
    assert (await _shown(sale, order.service_id)).power is Power.OFF
    assert await by_hand(sale, "vps-reinstall", [order.service_id], {}) == {"halted"}
    async with desk.database.transaction() as tx:
        await unsuspend_service(tx, order.service_id, **BY)
    await sale.go_on()
    (vm,) = await sale.machines()
    assert (vm.power, vm.is_suspended) == (VmPower.RUNNING, False)
    async with desk.database.transaction() as tx:
        await terminate_service(tx, order.service_id, **BY)
    await sale.go_on()
    assert await sale.machines() == []
    assert await sale.addresses(order) == []
    assert (await _shown(sale, order.service_id)).state is ServiceState.terminated


async def _another_system(sale: Sale, service: UUID, config: dict[str, Any]) -> None:
    """Its client chooses another system; one whose template is not there costs nothing."""
    templates = {"debian-12": "debian-12", "ubuntu-24.04": "no-such-template"}
    async with sale.desk.database.transaction() as tx:
        await set_rules(tx, replace(RULES, templates={"debian-12": "debian-12"}))
        with pytest.raises(Invalid, match="os"):
            await ask_reinstall(tx, service, os="ubuntu-24.04", **BY)
        await set_rules(tx, replace(RULES, templates=templates))
    (vm,) = await sale.machines()
    assert await asked_for(sale, service, "ubuntu-24.04") == "halted"
    told = await sale.desk.value(
        "SELECT error::text FROM step_attempt WHERE node = 'machine' AND status = 'failed'"
    )
    assert "no template is called no-such-template; there are debian-12, ubuntu-24.04" in told
    assert [one.id for one in await sale.machines()] == [vm.id], "nothing was removed before that"
    sale.desk.clock.advance(seconds=PATIENCE.total_seconds())
    async with sale.desk.database.transaction() as tx:
        run = await tx.fetchval("SELECT id FROM run WHERE status = 'halted'")
        await cancel_run(tx, run)
        await set_rules(tx, replace(RULES, templates=templates | {"ubuntu-24.04": "ubuntu-24.04"}))
    await sale.go_on()
    assert await asked_for(sale, service, "ubuntu-24.04") == "succeeded"
    (again,) = await sale.machines()
    assert (again.id, again.node, again.power) == (vm.id, vm.node, VmPower.RUNNING)
    anew = await sale.cluster._api.get(f"nodes/{vm.node}/qemu/{vm.id}/config")
    kept = ("net0", "net1", "ipconfig0", "ipconfig1")
    assert [anew[name] for name in kept] == [config[name] for name in kept]
    assert anew["bios"] == "ovmf", "as that template is"
    row = (await sale.desk.rows("SELECT s.os_code, m.template FROM service s, machine m"))[0]
    assert tuple(row) == ("ubuntu-24.04", "ubuntu-24.04")
    async with sale.desk.database.snapshot() as tx:
        shown = await find_service(tx, service, account=sale.account)
    assert shown.os_name == "Ubuntu 24.04"


async def test_it_waits_visibly_for_room_and_passes_over_who_is_silent(sale: Sale) -> None:
    desk = sale.desk
    silent = replace(PLACE, connection="ams-pve")
    large = replace(RULES, size=replace(RULES.size, memory_mb=900_000), places=(silent, PLACE))
    async with desk.database.transaction() as tx:
        await a_cluster(tx, desk.vault, name="ams-pve", base_url="https://127.0.0.1:1")
        await set_rules(tx, large)
    (order,) = await sale.buy(None)
    await sale.go_on(rounds=4)
    waiting = await sale.order(order)
    assert (waiting.state, waiting.state_reason) == (OrderState.provisioning, WAITING)
    told = (await desk.mail("staff-notice")).text
    assert "pve: no room for 1 core, 900,000 MB memory, 5 GB disk on pve1, pve2." in told
    assert "ams-pve does not answer" in told
    assert await desk.value("SELECT count(*) FROM machine") == 0
    async with desk.database.transaction() as tx:
        product = await find_product(tx, "vm-1")
        rules = replace(large, size=RULES.size)
        await change_machine_rules(
            tx, product.id, rules, offers={}, actor=None, actor_label="test", reason="smaller"
        )
    before = desk.clock.now()
    await sale.go_on()
    assert (desk.clock.now() - before).total_seconds() < 300, "it looked at once"
    assert (await sale.order(order)).state is OrderState.delivered
    assert await desk.value("SELECT connection FROM machine") == "pve"
    await end(sale, [order])


async def _shown(sale: Sale, service: UUID) -> ServiceView:
    async with sale.desk.database.snapshot() as tx:
        return await find_service(tx, service, account=sale.account)


async def test_a_call_that_fails_costs_a_retry_and_leaves_nothing_behind(sale: Sale) -> None:
    """Each call once: no answer, an answer that gets lost, and a refusal that ends the run."""
    await each_call_fails(sale)


async def test_each_call_of_its_life_may_fail(sale: Sale) -> None:
    package = {"cores": 2, "memory_mb": 1024, "disk_gb": 20}
    await each_call_of_a_life_fails(sale, package)
