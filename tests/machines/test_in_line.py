"""Machines that are copied to one storage: one after the other, each woken as its turn comes."""

from app.domain.orders.states import OrderState
from app.flows.turns import SignalledTurns
from tests.machines.ills import end
from tests.machines.sale import Sale

WOKEN = "SELECT signal_key FROM run_signal WHERE signal_key LIKE 'turn:%' ORDER BY id"


async def test_who_waits_for_a_turn_is_woken_as_it_ends(sale: Sale) -> None:
    desk = sale.desk
    orders = await sale.buy(*[None] * 4)
    await sale.go_on(rounds=1)
    held = await desk.rows("SELECT key, holder FROM turn WHERE key LIKE 'proxmox:%'")
    in_line = await desk.rows(
        "SELECT signal_key FROM token WHERE signal_key LIKE 'turn:%' ORDER BY since, id"
    )
    assert len(held) in {1, 2}, "one copies on each node"
    assert len(in_line) == len(orders) - len(held)
    turns = SignalledTurns(desk.database)
    key = in_line[0]["signal_key"].removeprefix("turn:").rpartition(":")[0]
    (holder,) = [row["holder"] for row in held if row["key"] == key]
    await turns.give_back(key, "somebody else")
    assert await desk.rows(WOKEN) == [], "it is not theirs to give"
    await turns.give_back(key, holder)
    await turns.give_back(key, holder)
    assert [row["signal_key"] for row in await desk.rows(WOKEN)] == [in_line[0]["signal_key"]]
    due = "SELECT count(*) FROM run r JOIN token t ON t.run = r.id WHERE t.signal_key = $1 "
    assert await desk.value(
        f"{due} AND r.wake_at <= $2", in_line[0]["signal_key"], desk.clock.now()
    )
    await sale.go_on()
    assert {(await sale.order(order)).state for order in orders} == {OrderState.delivered}
    assert await desk.rows("SELECT FROM turn WHERE key LIKE 'proxmox:%'") == []
    await end(sale, orders)


async def test_two_may_have_a_turn_where_so_many_are_let_in(sale: Sale) -> None:
    desk = sale.desk
    turns = SignalledTurns(desk.database)

    async def take(holder: str, at_once: int) -> bool:
        return await turns.take("proxmox:here:pve1", holder, for_s=60.0, at_once=at_once)

    assert await take("first", 1)
    assert not await take("second", 1)
    assert await take("second", 2)
    assert not await take("third", 2)
    assert await take("second", 1), "who has it keeps it, however many are let in by now"
    await turns.give_back("proxmox:here:pve1", "first")
    assert await take("third", 2)
    desk.clock.advance(seconds=61)
    assert await take("fourth", 1), "who does not ask again loses it"
