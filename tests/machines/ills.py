"""What is done to the calls of deliveries, and how they are ended."""

from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from typing import Any, TypeAlias
from uuid import UUID

from app.core.ids import new_id
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.domain.services.ask import ask_reinstall
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.drivers.hypervisor.contract import VmPower
from app.flows.gallery import find_template
from app.flows.node import Subject
from app.flows.publish import publish
from app.flows.start import start_flow
from app.flows.steer import cancel_run
from tests.machines.sale import APART, Sale

BY = {"actor": None, "actor_label": "test", "reason": "test"}
TOGETHER = 8
LIVES = 4
Deed: TypeAlias = Callable[..., Awaitable[None]]


async def each_call_fails(sale: Sale, *, changes: int = 4, together: int = TOGETHER) -> None:
    """Have each call of a delivery fail once; all come to an end, and none leaves anything."""
    (good,) = await sale.buy(None)
    await sale.go_on()
    calls = sale.luck.calls[good.id]
    every = range(1, calls + 1)
    ills = [(at, ill) for at in every for ill in ("away", "refused")]
    ills += [(at, "lost") for at in sorted(sale.luck.changes)]
    assert len(sale.luck.changes) >= changes, "what is made or changed"
    for first in range(0, len(ills), together):
        some = ills[first : first + together]
        orders = await sale.buy(*some)
        await sale.go_on()
        for order, (at, ill) in zip(orders, some, strict=True):
            found = await sale.order(order)
            assert sale.luck.calls[order.id] >= at
            if ill != "refused":
                assert found.state is OrderState.delivered, (at, ill, found.state_reason)
                continue
            halted = await sale.desk.value("SELECT status FROM run WHERE id = $1", found.run)
            assert halted == "halted", (at, ill)
            async with sale.desk.database.transaction() as tx:
                assert found.run is not None
                await cancel_run(tx, found.run)
        delivered = [
            order for order, (_, ill) in zip(orders, some, strict=True) if ill != "refused"
        ]
        await sale.go_on()
        kept = {(await sale.order(order)).service_id for order in (good, *delivered)}
        made = [vm.service for vm in await sale.machines()]
        assert sorted(made, key=str) == sorted(kept, key=str), "one machine for each, and no other"
        for order, (at, ill) in zip(orders, some, strict=True):
            if ill == "refused":
                assert await sale.addresses(order) == [], (at, ill)
        await end(sale, delivered)
    plans = await sale.desk.value("SELECT count(*) FROM machine WHERE removed_at IS NULL")
    assert plans == 1


async def each_call_of_a_life_fails(sale: Sale, package: dict[str, Any]) -> None:
    """Have each call after the delivery fail in one life or another; all come to their end."""
    orders = await sale.buy(*[None] * LIVES)
    await sale.go_on()
    lives = [row["id"] for row in await sale.desk.rows("SELECT id FROM service ORDER BY hostname")]
    assert len(lives) == LIVES
    sale.luck.failing = dict.fromkeys(lives, -APART)
    deeds: Mapping[Deed, tuple[VmPower, bool]] = {
        suspend_service: (VmPower.STOPPED, True),
        unsuspend_service: (VmPower.RUNNING, False),
        partial(ask_reinstall, os="debian-12"): (VmPower.RUNNING, False),
    }
    for deed, state in deeds.items():
        async with sale.desk.database.transaction() as tx:
            for service in lives:
                await deed(tx, service, **BY)
        await sale.go_on()
        there = {(vm.power, vm.is_suspended) for vm in await sale.machines()}
        assert (len(await sale.machines()), there) == (len(lives), {state})
    assert await by_hand(sale, "vps-resize", lives, package) == {"succeeded"}
    assert {vm.size.memory_mb for vm in await sale.machines()} == {1_024}
    await end(sale, orders)
    assert sale.luck.made == sale.luck.failed
    assert await sale.machines() == []
    assert [await sale.addresses(order) for order in orders] == [[]] * len(orders)
    assert await sale.desk.value("SELECT count(*) FROM run WHERE status <> 'succeeded'") == 0


async def end(sale: Sale, orders: list[OrderView]) -> None:
    async with sale.desk.database.transaction() as tx:
        for order in orders:
            service = await tx.fetchval('SELECT id FROM service WHERE "order" = $1', order.id)
            await terminate_service(tx, service, **BY)
    await sale.go_on()


async def asked_for(sale: Sale, service: UUID, os: str) -> str:
    """Have a machine reinstalled as its client asks for; returns how the run is then."""
    async with sale.desk.database.transaction() as tx:
        await ask_reinstall(tx, service, os=os, **BY)
    await sale.go_on()
    status = await sale.desk.value(
        "SELECT status FROM run WHERE subject = $1 ORDER BY created_at DESC, id DESC LIMIT 1",
        service,
    )
    return str(status)


async def by_hand(
    sale: Sale, flow: str, services: Iterable[UUID], data: dict[str, Any]
) -> set[str]:
    """Run a shipped flow by hand about each service; returns how the runs are then."""
    async with sale.desk.database.transaction() as tx:
        await publish(tx, find_template(flow), note="test")
        runs = [
            await start_flow(
                tx, flow, data=data, dedup_key=str(new_id()), subject=service,
                subject_kind=Subject.SERVICE,
            )
            for service in services
        ]  # fmt: skip
    await sale.go_on()
    rows = await sale.desk.rows("SELECT status FROM run WHERE id = ANY($1)", runs)
    return {row["status"] for row in rows}
