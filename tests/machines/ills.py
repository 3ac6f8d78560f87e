"""What is done to the calls of deliveries, and how they are ended."""

from uuid import UUID

from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.domain.services.ask import ask_reinstall
from app.domain.services.terminate import terminate_service
from app.flows.steer import cancel_run
from tests.machines.sale import Sale

BY = {"actor": None, "actor_label": "test", "reason": "test"}
TOGETHER = 8


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
