"""Providers are read, what differs is shown, and a person puts it right; at a real peer."""

from datetime import timedelta
from uuid import UUID

import pytest
from msgspec.structs import replace

from app.core.ids import new_id
from app.core.turns import DatabaseTurns
from app.domain.inventory.power_rule import SETTLES
from app.domain.machines.errors import AsItShouldBe, TwinMachine, UnderWay
from app.domain.machines.judge import Drift
from app.domain.machines.order_errand import (
    leave_alone,
    order_release,
    order_remedy,
    order_removal,
)
from app.domain.machines.watch import ALARM, note_reading
from app.domain.orders.states import OrderState
from app.domain.services.find import find_service
from app.domain.services.states import ServiceState
from app.domain.services.suspend import suspend_service
from app.domain.services.views import ServiceView
from app.drivers.hypervisor.contract import Nic, Ref, Size, Vm, VmPower, VmWant
from app.drivers.hypervisor.proxmox.adapter import Proxmox
from app.drivers.power import Power
from app.suites.hypervisor import through
from tests.machines.sale import Sale
from tests.machines.watching import do_errands, drifts, lead_to, provider, read, strays

BY = {"actor": None, "actor_label": "test"}
WHY = {**BY, "reason": "test"}


async def sold(sale: Sale) -> UUID:
    """Sell a machine, and let so much time pass that it is judged."""
    (order,) = await sale.buy(None)
    await sale.go_on()
    sale.desk.clock.advance(seconds=SETTLES.total_seconds())
    found = (await sale.order(order)).service_id
    assert found is not None
    return found


async def shown(sale: Sale, service: UUID) -> ServiceView:
    async with sale.desk.database.snapshot() as tx:
        return await find_service(tx, service, account=sale.account)


def ref(service: UUID) -> Ref:
    return Ref(service, "vm0.example.org")


async def deeds(sale: Sale, subject: UUID) -> list[str]:
    rows = await sale.desk.rows(
        "SELECT action, actor_label FROM audit_entry WHERE subject = $1 AND action LIKE "
        "'machines.%' ORDER BY id",
        subject,
    )
    return [f"{row['action']} by {row['actor_label']}" for row in rows]


async def test_a_machine_is_followed_put_right_and_given_back(sale: Sale) -> None:
    service = await sold(sale)
    await read(sale)
    assert await drifts(sale) == ()
    one = await provider(sale)
    assert (one.planned, one.machines, one.silent_since, one.heard_at) == (
        1, len([vm for vm in await sale.cluster.machines() if vm.service]), None,
        sale.desk.clock.now(),
    )  # fmt: skip
    assert {"not-ours", "ha", "deaf"} <= {vm.name for vm in one.foreign}
    assert one.foreign_machines == len(one.foreign)
    view = await shown(sale, service)
    assert (view.power, view.power_seen_at) == (Power.ON, sale.desk.clock.now())

    await through(lambda memo: sale.cluster.power(ref(service), VmPower.STOPPED, memo))
    await read(sale, times=1)
    assert (await shown(sale, service)).power is Power.OFF
    assert await drifts(sale) == (), "one reading is no proof"
    await read(sale, times=1)
    (drift,) = await drifts(sale)
    assert (drift.service, drift.drift, drift.hostname) == (service, Drift.off, "vm0.example.org")
    async with sale.desk.database.transaction() as tx:
        await order_remedy(tx, service, **BY)
        with pytest.raises(UnderWay):
            await order_remedy(tx, service, **BY)
        with pytest.raises(AsItShouldBe):
            await order_release(tx, service, **WHY)
        with pytest.raises(AsItShouldBe):
            await order_removal(tx, service, **WHY)
    assert (await drifts(sale))[0].is_ordered
    await do_errands(sale)
    (vm,) = await sale.machines()
    assert vm.power is VmPower.RUNNING
    assert await drifts(sale) == ()
    assert await deeds(sale, service) == ["machines.start by test", "machines.done by system"]

    await through(lambda memo: sale.cluster.delete(ref(service), memo))
    await read(sale)
    (drift,) = await drifts(sale)
    assert (drift.drift, (await shown(sale, service)).power) == (Drift.gone, Power.UNKNOWN)
    await sale.desk.work()
    told = await sale.desk.mail("staff-notice")
    assert "pve has no machine of vm0.example.org any more" in told.subject
    assert (await shown(sale, service)).state is ServiceState.active, "nothing by itself"
    with pytest.raises(AsItShouldBe):
        async with sale.desk.database.transaction() as tx:
            await order_remedy(tx, service, **BY)
    async with sale.desk.database.transaction() as tx:
        await order_release(tx, service, **WHY)
    await do_errands(sale)
    await sale.go_on()
    view = await shown(sale, service)
    assert (view.state, await drifts(sale)) == (ServiceState.terminated, ())
    left = await sale.desk.rows(
        "SELECT state FROM address_claim WHERE holder = $1 AND state <> 'quarantined'",
        view.order_id,
    )
    assert left == []


async def test_a_machine_that_is_back_is_not_given_back(sale: Sale) -> None:
    service = await sold(sale)
    (vm,) = await sale.machines()
    other = replace(vm, id="900001", service=new_id())
    for _ in range(2):
        sale.desk.clock.advance(seconds=60)
        async with sale.desk.database.transaction() as tx:
            await tx.execute(
                "INSERT INTO provider_watch (connection, due_at) VALUES ('pve', $1) "
                "ON CONFLICT DO NOTHING", tx.now(),
            )  # fmt: skip
            await note_reading(tx, "pve", [other], began_at=tx.now())
    async with sale.desk.database.transaction() as tx:
        await order_release(tx, service, **WHY)
    await do_errands(sale)
    assert (await shown(sale, service)).state is ServiceState.active
    reason = await sale.desk.value(
        "SELECT reason FROM audit_entry WHERE action = 'machines.could_not'"
    )
    assert reason == f"The provider has it: machine {vm.id} on {vm.node}."
    await read(sale, times=1)
    assert await drifts(sale) == ()
    assert await strays(sale) == (), "what was not there is forgotten"


async def test_suspended_here_and_running_there(sale: Sale) -> None:
    service = await sold(sale)
    async with sale.desk.database.transaction() as tx:
        await suspend_service(tx, service, **WHY)
    await sale.go_on()
    await through(lambda memo: sale.cluster.unsuspend(ref(service), memo))
    await read(sale, times=2)
    assert await drifts(sale) == (), "its flow has time for it"
    sale.desk.clock.advance(seconds=SETTLES.total_seconds())
    await read(sale)
    (drift,) = await drifts(sale)
    assert drift.drift is Drift.not_suspended
    async with sale.desk.database.transaction() as tx:
        await order_remedy(tx, service, **BY)
    await do_errands(sale)
    (vm,) = await sale.machines()
    assert (vm.power, vm.is_suspended) == (VmPower.STOPPED, True)
    await read(sale)
    assert await drifts(sale) == ()


async def test_a_provider_that_is_down_says_nothing_of_its_machines(sale: Sale) -> None:
    """Neither a short silence nor a long one makes a machine gone; runs wait and go on."""
    service = await sold(sale)
    await read(sale, times=1)
    await lead_to(sale, None)
    await read(sale, times=3)
    one = await provider(sale)
    assert (one.silent_since is not None, one.gone) == (True, 0)
    assert (await shown(sale, service)).power is Power.UNKNOWN
    assert await drifts(sale) == ()

    (order,) = await sale.buy(None)
    await sale.go_on(rounds=3)
    waiting = await sale.order(order)
    assert waiting.state is OrderState.provisioning
    says = await sale.desk.value("SELECT status FROM run WHERE id = $1", waiting.run)
    assert says == "waiting"

    sale.desk.clock.advance(seconds=ALARM.total_seconds())
    await read(sale, times=1)
    await sale.desk.work()
    mails = await sale.desk.rows("SELECT subject FROM mail WHERE code = 'staff-notice'")
    assert [row["subject"] for row in mails if "pve does not answer" in row["subject"]]

    await lead_to(sale, sale.peer)
    await read(sale, times=1)
    await sale.go_on()
    assert (await sale.order(order)).state is OrderState.delivered
    assert (await shown(sale, service)).power is Power.ON
    assert (await provider(sale)).silent_since is None


async def test_one_that_shows_nothing_at_all_is_not_believed(sale: Sale) -> None:
    await sold(sale)
    await read(sale, times=1)
    for _ in range(3):
        sale.desk.clock.advance(seconds=60)
        async with sale.desk.database.transaction() as tx:
            await note_reading(tx, "pve", [], began_at=tx.now())
    assert await drifts(sale) == ()
    one = await provider(sale)
    assert "shows no machine at all" in one.silence
    assert one.gone == 0


async def test_strays_are_shown_removed_or_left_alone(sale: Sale) -> None:
    service = await sold(sale)
    nobody, name = new_id(), "stray.example.org"
    want = VmWant(
        ref=Ref(nobody, name), template="debian-12",
        size=Size(cores=1, memory_mb=512, disk_gb=5), nic=Nic(),
    )  # fmt: skip
    cluster = Proxmox(sale.peers.http, sale.peer, DatabaseTurns(sale.desk.database))
    made: Vm = await through(lambda memo: cluster.create(want, memo))
    await read(sale)
    mine = [one for one in await strays(sale) if one.service == nobody]
    assert [(one.number, one.name, one.service_state) for one in mine] == [(made.id, name, None)]
    assert "another Slipway may have made it" in mine[0].why
    async with sale.desk.database.transaction() as tx:
        await leave_alone(tx, mine[0].id, **BY)
        await leave_alone(tx, mine[0].id, **BY)
    await read(sale)
    (left,) = [one for one in await strays(sale) if one.service == nobody]
    assert left.left_alone_at is not None
    async with sale.desk.database.transaction() as tx:
        await order_removal(tx, left.id, **WHY)
    await do_errands(sale)
    assert await sale.cluster.find(want.ref) is None
    assert [one for one in await strays(sale) if one.service == nobody] == []
    assert await deeds(sale, left.id) == [
        "machines.left_alone by test", "machines.remove by test", "machines.done by system",
    ]  # fmt: skip

    (vm,) = await sale.machines()
    twin = replace(vm, id="900002")
    for _ in range(2):
        sale.desk.clock.advance(seconds=60)
        async with sale.desk.database.transaction() as tx:
            await note_reading(tx, "pve", [vm, twin], began_at=tx.now())
    (found,) = await strays(sale)
    assert (found.service, found.is_twin) == (service, True)
    with pytest.raises(TwinMachine):
        async with sale.desk.database.transaction() as tx:
            await order_removal(tx, found.id, **WHY)


async def test_an_errand_at_a_provider_that_cannot_be_opened_says_so(sale: Sale) -> None:
    service = await sold(sale)
    await through(lambda memo: sale.cluster.power(ref(service), VmPower.STOPPED, memo))
    await read(sale)
    async with sale.desk.database.transaction() as tx:
        await order_remedy(tx, service, **BY)
        await tx.execute(
            "UPDATE connection SET kind = 'http', facts = $1", '{"base_url": "http://x"}'
        )
    await do_errands(sale)
    assert await deeds(sale, service) == ["machines.start by test", "machines.could_not by system"]


async def test_an_errand_that_is_not_done_in_time_is_given_up(sale: Sale) -> None:
    service = await sold(sale)
    await through(lambda memo: sale.cluster.power(ref(service), VmPower.STOPPED, memo))
    await read(sale)
    async with sale.desk.database.transaction() as tx:
        await order_remedy(tx, service, **BY)
    await lead_to(sale, None)
    before = sale.desk.clock.now()
    await do_errands(sale)
    assert sale.desk.clock.now() - before > timedelta(minutes=15)
    assert await deeds(sale, service) == ["machines.start by test", "machines.could_not by system"]
    await lead_to(sale, sale.peer)
