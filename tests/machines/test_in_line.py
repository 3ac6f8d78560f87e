"""Machines that are copied to one storage: one after the other, each woken as its turn comes."""

from app.domain.orders.states import OrderState
from tests.machines.ills import end
from tests.machines.sale import Sale


async def test_who_waits_for_a_turn_is_woken_as_it_ends(
    sale: Sale,
) -> None:
    orders = await sale.buy(*[None] * 4)
    await sale.go_on(rounds=1)
    held = "SELECT count(*) FROM turn WHERE key LIKE 'proxmox:%'"
    at_work = await sale.desk.value(held)
    waiting = "SELECT count(*) FROM token WHERE signal_key LIKE 'turn:proxmox:pve:%'"
    in_line = await sale.desk.value(waiting)
    assert 1 <= at_work <= 2, "one copies on each node"
    assert in_line == len(orders) - at_work
    await sale.go_on()
    assert {(await sale.order(order)).state for order in orders} == {OrderState.delivered}
    woken = (
        "SELECT count(*) FROM run_signal WHERE signal_key LIKE 'turn:%' AND consumed_at IS NOT NULL"
    )
    assert await sale.desk.value(woken) >= 1
    assert await sale.desk.value(held) == 0
    await end(sale, orders)
