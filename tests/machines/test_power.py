"""A client switches their own machine: asked for here, done by a worker at a real peer."""

from collections import Counter
from uuid import UUID, uuid4

import pytest

from app.core.errors import NotFound
from app.core.outbox import LEASE_S, claim_due
from app.domain.machines.errand import ERRAND, Deed
from app.domain.machines.errors import UnderWay
from app.domain.machines.order_power import NotNow, Switching, order_power, switching_of
from app.domain.services.suspend import suspend_service
from app.drivers.hypervisor.contract import VmPower
from app.drivers.hypervisor.proxmox.api import Api
from app.drivers.hypervisor.proxmox.login import http_peer
from app.drivers.power import Power
from app.jobs.machine_errands import run_errand
from tests.machines.sale import Sale
from tests.machines.test_watch import deeds, shown, sold
from tests.machines.watching import do_errands, lead_to


async def click(sale: Sale, service: UUID, deed: Deed, account: UUID | None = None) -> None:
    async with sale.desk.database.transaction() as tx:
        await order_power(
            tx, service, deed, account=account or sale.account, actor=sale.account,
            actor_label="its client",
        )  # fmt: skip


async def switching(sale: Sale, service: UUID) -> Switching:
    async with sale.desk.database.snapshot() as tx:
        return await switching_of(tx, service)


async def test_a_client_shuts_down_starts_and_restarts(sale: Sale) -> None:
    service = await sold(sale)
    assert await switching(sale, service) == Switching(can_switch=True)
    for deed, there, here in (
        (Deed.stop, VmPower.STOPPED, Power.OFF),
        (Deed.stop, VmPower.STOPPED, Power.OFF),
        (Deed.start, VmPower.RUNNING, Power.ON),
        (Deed.restart, VmPower.RUNNING, Power.ON),
    ):
        await click(sale, service, deed)
        assert (await switching(sale, service)).doing is deed
        with pytest.raises(UnderWay):
            await click(sale, service, Deed.start)
        await do_errands(sale)
        (vm,) = await sale.machines()
        assert (vm.power, (await shown(sale, service)).power) == (there, here)
        assert (await switching(sale, service)).doing is None
    done = [f"machines.{deed} by its client" for deed in ("stop", "stop", "start", "restart")]
    assert [deed for deed in await deeds(sale, service) if "system" not in deed] == done
    tasks = await Api(sale.peers.http, http_peer(sale.peer)).get(
        f"nodes/{vm.node}/tasks", vmid=vm.id
    )
    kinds = Counter(task["type"] for task in tasks)
    assert (kinds["qmshutdown"], kinds["qmreboot"]) == (2, 0), "a restart is both, for sure"


async def test_what_is_not_theirs_to_switch_now(sale: Sale) -> None:
    service = await sold(sale)
    for deed, account in ((Deed.start, uuid4()), (Deed.kill, None), (Deed.remove, None)):
        with pytest.raises(NotFound):
            await click(sale, service, deed, account)
    async with sale.desk.database.transaction() as tx:
        await tx.execute("UPDATE service SET asked_at = $2 WHERE id = $1", service, tx.now())
    with pytest.raises(NotNow, match="already"):
        await click(sale, service, Deed.start)
    async with sale.desk.database.transaction() as tx:
        await tx.execute("UPDATE service SET asked_at = NULL")
    await click(sale, service, Deed.stop)
    async with sale.desk.database.transaction() as tx:
        await suspend_service(tx, service, actor=None, actor_label="test", reason="test")
    with pytest.raises(NotNow, match="suspended"):
        await click(sale, service, Deed.start)
    await do_errands(sale)
    assert (await deeds(sale, service))[-1] == "machines.could_not by system"
    (vm,) = await sale.machines()
    assert vm.power is VmPower.RUNNING, "its flow suspends it, not the click"


async def test_a_click_is_not_done_long_after(sale: Sale) -> None:
    service = await sold(sale)
    await lead_to(sale, None)
    await click(sale, service, Deed.stop)
    await do_errands(sale)
    found = await switching(sale, service)
    assert (found.doing, found.failed) == (None, Deed.stop)
    await lead_to(sale, sale.peer)
    await click(sale, service, Deed.stop)
    await do_errands(sale)
    assert (await switching(sale, service)).failed is None


async def test_a_part_that_was_done_comes_no_second_time(sale: Sale) -> None:
    """The worker that stopped it dies before its relay notes that: others start it meanwhile."""
    service, desk = await sold(sale), sale.desk
    await click(sale, service, Deed.restart)
    async with desk.database.transaction() as tx:
        (first,) = [one for one in await claim_due(tx) if one.topic == ERRAND]
    await run_errand(desk.database, desk.vault, sale.peers, first)
    await do_errands(sale)
    desk.clock.advance(seconds=2 * LEASE_S)
    await do_errands(sale)
    (vm,) = await sale.machines()
    assert vm.power is VmPower.RUNNING
    tasks = await Api(sale.peers.http, http_peer(sale.peer)).get(
        f"nodes/{vm.node}/tasks", vmid=vm.id
    )
    assert Counter(task["type"] for task in tasks)["qmshutdown"] == 1
