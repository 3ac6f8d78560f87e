"""What becomes of an order: held, expired, cancelled, waiting, failed, delivered."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from app.core.clock import SetClock
from app.core.database import Database, Tx
from app.core.errors import NotFound, Refusal
from app.core.outbox import claim_due
from app.domain.addresses.expire import expire
from app.domain.addresses.find import addresses_of
from app.domain.billing.find import find_invoice
from app.domain.billing.record_transfer import record_transfer
from app.domain.catalog.find import product_by_id
from app.domain.inventory.expire import expire_holds
from app.domain.inventory.quarantine import quarantine
from app.domain.orders.cancel import cancel, cancel_own
from app.domain.orders.errors import AlreadyPaid, OrderNotAllowed, OutOfStock
from app.domain.orders.expire import expire_order_holds, expire_orders
from app.domain.orders.fail import fail
from app.domain.orders.find import find_order, stuck
from app.domain.orders.hold import HOLD_FOR, hold, lengthen_hold, renew_hold
from app.domain.orders.mark_delivered import mark_delivered
from app.domain.orders.mark_provisioning import mark_provisioning
from app.domain.orders.states import TRANSITIONS, OrderState, move
from app.domain.orders.views import OrderView
from app.domain.orders.wait_for_stock import WAITING, wait_for_stock
from tests.orders.world import a_client, a_shop, an_order, machines

SERVERS = 30
"""Enough for all who come at once: what happens when they run out is the inventory's to test."""


@pytest.fixture
async def order(database: Database) -> OrderView:
    """The only server of the shop, held for an unpaid order of 59.00 EUR."""
    async with database.transaction() as tx:
        await a_shop(tx)
        return await an_order(tx, await a_client(tx))


async def pay(tx: Tx, order: OrderView, amount_minor: int = 5_900) -> None:
    assert order.invoice_id is not None
    await record_transfer(
        tx,
        order.invoice_id,
        amount_minor=amount_minor,
        reference=str(uuid4()),
        actor=None,
        actor_label="test",
    )


async def give_up(tx: Tx, order: UUID) -> None:
    await cancel(tx, order, actor=None, actor_label="admin@example.org", reason="Fraud.")


async def held(tx: Tx, order: UUID) -> tuple[int, int]:
    """Return how many servers and addresses an order holds."""
    servers = await tx.fetchval("SELECT count(*) FROM server WHERE holder = $1", order)
    return servers, len((await addresses_of(tx, order)).ip4)


async def notices(tx: Tx) -> list[str]:
    parcels = await claim_due(tx)
    return [one.payload["kind"] for one in parcels if one.topic == "admin.notice"]


async def test_no_timed_reservation_of_a_server_or_an_address(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    """Pitfall: netbox#11879. After the hold everything can be sold again; the order stays."""
    clock.advance(minutes=14)
    async with database.transaction() as tx:
        assert await expire_order_holds(tx) == []
        assert await held(tx, order.id) == (1, 1)
    clock.advance(minutes=1)
    async with database.transaction() as tx:
        assert await expire_order_holds(tx) == [order.id]
        assert await expire_order_holds(tx) == []
        assert f"order:{order.id}" in tx.topics
    async with database.transaction() as tx:
        assert await held(tx, order.id) == (0, 0)
        left = await find_order(tx, order.id)
        assert (left.state, left.hold_expires_at) == (OrderState.awaiting_payment, None)
        assert "no longer held" in left.state_reason
        other = await an_order(tx, await a_client(tx, "other@example.org"))
    assert other.server_name == order.server_name


async def test_a_machine_that_someone_else_has_since_reserved_is_not_taken_back(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    """Pitfall: cluster-api-provider-metal3#3516. The inventory's own sweep was first."""
    clock.advance(minutes=15)
    async with database.transaction() as tx:
        await expire_holds(tx)
        await expire(tx)
        other = await an_order(tx, await a_client(tx, "other@example.org"))
    async with database.transaction() as tx:
        assert await expire_order_holds(tx) == [order.id]
        assert await held(tx, other.id) == (1, 1)


async def test_sweeps_at_the_same_time_share_the_work(database: Database, clock: SetClock) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=6)
        account = await a_client(tx)
        orders = {(await an_order(tx, account)).id for _ in range(6)}
    clock.advance(minutes=15)

    async def sweep() -> list[UUID]:
        async with database.transaction() as tx:
            return await expire_order_holds(tx, limit=2)

    swept = await asyncio.gather(*(sweep() for _ in range(3)))
    done = [order for batch in swept for order in batch]
    assert len(done) == len(set(done))
    while batch := await sweep():
        done += batch
    assert sorted(done) == sorted(orders)


async def test_a_sweep_waits_for_nobody(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    clock.advance(days=8)
    async with database.pool.acquire() as other, other.transaction():
        await other.execute("SELECT FROM server FOR UPDATE")
        async with database.transaction() as tx:
            assert await expire_order_holds(tx) == []
            assert await expire_orders(tx) == []
    async with database.transaction() as tx:
        assert await expire_order_holds(tx) == [order.id]


async def test_a_payment_in_the_last_second_keeps_the_server(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    clock.advance(minutes=15)
    async with database.transaction() as tx:
        await pay(tx, order)
    async with database.transaction() as tx:
        assert await expire_order_holds(tx) == []
        await expire_holds(tx)
        await expire(tx)
        assert await held(tx, order.id) == (1, 1)
        assert (await find_order(tx, order.id)).state_reason == ""


async def test_paying_while_the_sweep_runs_ends_well(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    clock.advance(minutes=15)

    async def act(verb: Callable[[Tx], Awaitable[object]]) -> None:
        async with database.transaction() as tx:
            await verb(tx)

    await asyncio.gather(
        act(expire_holds), act(expire_order_holds), act(lambda tx: pay(tx, order)), act(expire)
    )
    async with database.snapshot() as tx:
        left = await find_order(tx, order.id)
        servers, addresses = await held(tx, order.id)
    assert left.state is OrderState.paid
    assert servers == addresses == int(left.state_reason == "")


async def test_a_hold_is_renewed_while_there_is_stock(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        assert await renew_hold(tx, order.id, hold_for=HOLD_FOR) == order.hold_expires_at
    clock.advance(minutes=15)
    async with database.transaction() as tx:
        until = await renew_hold(tx, order.id, hold_for=HOLD_FOR)
        assert until == clock.now() + timedelta(minutes=15)
        assert await held(tx, order.id) == (1, 1)
    clock.advance(minutes=15)
    async with database.transaction() as tx:
        await expire_order_holds(tx)
        other = await an_order(tx, await a_client(tx, "other@example.org"))
    with pytest.raises(OutOfStock):
        async with database.transaction() as tx:
            await renew_hold(tx, order.id, hold_for=HOLD_FOR)
    async with database.transaction() as tx:
        await pay(tx, other)
        assert await renew_hold(tx, other.id, hold_for=HOLD_FOR) is None
        with pytest.raises(NotFound):
            await renew_hold(tx, order.id, account=other.account_id, hold_for=HOLD_FOR)


async def test_a_hold_whose_server_was_put_aside_is_taken_again_before_paying(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    """The client is told before paying, although the hold has not expired."""
    assert order.server_id is not None
    async with database.transaction() as tx:
        await quarantine(tx, order.server_id, "fans")
    clock.advance(minutes=1)
    with pytest.raises(OutOfStock):
        async with database.transaction() as tx:
            await renew_hold(tx, order.id, hold_for=HOLD_FOR)
    async with database.transaction() as tx:
        await machines(tx, 1, rack="r2", prefix="192.0.2.64/26")
        assert await renew_hold(tx, order.id, hold_for=HOLD_FOR) == clock.now() + HOLD_FOR
        assert await held(tx, order.id) == (1, 1)
        assert (await find_order(tx, order.id)).server_id != order.server_id


async def test_a_transfer_holds_longer_and_never_shorter(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    days = timedelta(days=3)
    async with database.transaction() as tx:
        until = clock.now() + days
        assert await lengthen_hold(tx, order.id, hold_for=days) == until
        assert await lengthen_hold(tx, order.id, hold_for=HOLD_FOR) == until
        assert (await find_order(tx, order.id)).hold_expires_at == until
        expiry = await tx.fetchval("SELECT hold_expires_at FROM server WHERE holder = $1", order.id)
        assert expiry == until
        with pytest.raises(NotFound):
            await lengthen_hold(tx, order.id, account=uuid4(), hold_for=days)
        await pay(tx, order)
        assert await lengthen_hold(tx, order.id, hold_for=days) is None


async def test_an_order_is_not_cancelled_while_its_client_was_told_it_is_held(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    clock.advance(days=6)
    async with database.transaction() as tx:
        await lengthen_hold(tx, order.id, hold_for=timedelta(days=3))
    clock.advance(days=2)
    async with database.transaction() as tx:
        assert await expire_orders(tx) == []
    clock.advance(days=1)
    async with database.transaction() as tx:
        assert await expire_orders(tx) == [order.id]


async def test_holding_twice_holds_once(database: Database, order: OrderView) -> None:
    async with database.transaction() as tx:
        product = await product_by_id(tx, order.product_id)
        await hold(tx, order.id, product, order.selection, expires_at=tx.now())
        assert await held(tx, order.id) == (1, 1)


async def test_an_order_that_nobody_pays_is_cancelled(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await pay(tx, order, 100)
    clock.advance(days=7, seconds=-1)
    async with database.transaction() as tx:
        assert await expire_orders(tx) == []
    clock.advance(seconds=1)
    async with database.transaction() as tx:
        assert await expire_orders(tx) == [order.id]
        assert await expire_orders(tx) == []
    async with database.snapshot() as tx:
        assert (await find_order(tx, order.id)).state is OrderState.cancelled
        assert await held(tx, order.id) == (0, 0)
        assert order.invoice_id is not None
        assert (await find_invoice(tx, order.invoice_id)).state == "void"
        assert await tx.fetchval("SELECT sum(amount_minor) FROM credit_entry") == 100


async def test_a_client_cancels_an_unpaid_order(database: Database, order: OrderView) -> None:
    async with database.transaction() as tx:
        with pytest.raises(NotFound):
            await cancel_own(tx, order.id, account=uuid4(), actor_label="other")
        for _ in range(2):
            await cancel_own(
                tx, order.id, account=order.account_id, actor_label="client@example.org"
            )
        assert await held(tx, order.id) == (0, 0)
        left = await find_order(tx, order.id)
        assert (left.state, left.hold_expires_at) == (OrderState.cancelled, None)
        assert await tx.fetchval("SELECT count(*) FROM audit_entry") == 2 - 1
        with pytest.raises(Refusal):
            await move(tx, order.id, OrderState.paid)


async def test_what_is_paid_only_staff_cancels_and_the_money_is_credit(
    database: Database, order: OrderView
) -> None:
    async with database.transaction() as tx:
        await pay(tx, order)
        with pytest.raises(AlreadyPaid):
            await cancel_own(tx, order.id, account=order.account_id, actor_label="client")
    for _ in range(2):
        async with database.transaction() as tx:
            await give_up(tx, order.id)
    async with database.transaction() as tx:
        assert (await find_order(tx, order.id)).state is OrderState.cancelled
        assert await held(tx, order.id) == (0, 0)
        assert await tx.fetchval("SELECT sum(amount_minor) FROM credit_entry") == 5_900
        with pytest.raises(OrderNotAllowed):
            await mark_provisioning(tx, order.id)


async def test_an_order_that_has_no_invoice_yet_is_cancelled(
    database: Database, order: OrderView
) -> None:
    async with database.transaction() as tx:
        await tx.execute('UPDATE invoice SET "order" = NULL')
        await give_up(tx, order.id)
        assert (await find_order(tx, order.id)).state is OrderState.cancelled


async def test_staff_cancel_an_unpaid_order(database: Database, order: OrderView) -> None:
    async with database.transaction() as tx:
        await give_up(tx, order.id)
        await give_up(tx, order.id)
        assert (await find_order(tx, order.id)).state_reason == "Fraud."
        rows = await tx.fetch("SELECT actor_label FROM audit_entry WHERE action LIKE 'order.%'")
    assert [row["actor_label"] for row in rows] == ["admin@example.org"]


async def test_paid_no_capacity_and_nobody_is_told(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    """Pitfall: Paymenter#889, #455. The order waits visibly and an admin is told once."""
    async with database.transaction() as tx:
        with pytest.raises(OrderNotAllowed):
            await wait_for_stock(tx, order.id, explanation="ram 32 GB")
        await pay(tx, order)
        for _ in range(3):
            await wait_for_stock(tx, order.id, explanation="ram 32 GB")
        left = await find_order(tx, order.id)
        assert (left.state, left.state_reason) == (OrderState.paid, WAITING)
        assert [one.id for one in await stuck(tx)] == [order.id]
        assert await notices(tx) == ["order.waits_for_stock"]
    async with database.transaction() as tx:
        await mark_provisioning(tx, order.id)
        await wait_for_stock(tx, order.id, explanation="ram 32 GB")
        await mark_provisioning(tx, order.id)
        await mark_provisioning(tx, order.id)
        left = await find_order(tx, order.id)
        assert (left.state, left.state_reason) == (OrderState.provisioning, "")
        assert await stuck(tx) == ()
    clock.advance(minutes=31)
    async with database.snapshot() as tx:
        assert [one.id for one in await stuck(tx)] == [order.id]


async def test_a_failed_order_can_be_tried_again_and_delivered(
    database: Database, order: OrderView, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await pay(tx, order)
        await mark_provisioning(tx, order.id)
        for _ in range(2):
            await fail(tx, order.id, reason="The BMC refuses.")
        left = await find_order(tx, order.id)
        assert (left.state, left.state_reason) == (OrderState.failed, "The BMC refuses.")
        assert [one.id for one in await stuck(tx)] == [order.id]
        assert await notices(tx) == ["order.failed"]
        with pytest.raises(OrderNotAllowed):
            await mark_delivered(tx, order.id)
        clock.advance(minutes=1)
        await mark_provisioning(tx, order.id)
        await fail(tx, order.id, reason="The BMC refuses again.")
        assert await notices(tx) == ["order.failed"] * 2
        await mark_provisioning(tx, order.id)
        for _ in range(2):
            await mark_delivered(tx, order.id)
        left = await find_order(tx, order.id)
        assert (left.state, left.delivered_at) == (OrderState.delivered, clock.now())
        with pytest.raises(OrderNotAllowed):
            await fail(tx, order.id, reason="too late")
        assert await stuck(tx) == ()


async def test_states_move_only_along_the_table(database: Database, order: OrderView) -> None:
    assert set(TRANSITIONS) == set(OrderState)
    async with database.transaction() as tx:
        for start in OrderState:
            for goal in OrderState:
                await tx.execute(
                    "UPDATE client_order SET state = $2 WHERE id = $1", order.id, start
                )
                if goal in TRANSITIONS[start]:
                    await move(tx, order.id, goal, reason="because")
                    assert (await find_order(tx, order.id)).state is goal
                else:
                    with pytest.raises(OrderNotAllowed) as refused:
                        await move(tx, order.id, goal)
                    assert (refused.value.state, refused.value.wanted) == (start, goal)
        with pytest.raises(NotFound):
            await move(tx, uuid4(), OrderState.paid)


async def test_everything_at_once_neither_deadlocks_nor_loses_a_server(
    database: Database, clock: SetClock
) -> None:
    """Paying, cancelling, renewing, expiring and placing take their locks in one sequence."""
    async with database.transaction() as tx:
        await a_shop(tx, servers=SERVERS)
        account = await a_client(tx)
        orders = [await an_order(tx, account) for _ in range(8)]
    clock.advance(minutes=15)

    async def act(verb: Callable[[Tx], Awaitable[object]]) -> None:
        try:
            async with database.transaction() as tx:
                await verb(tx)
        except Refusal:
            return

    verbs: list[Callable[[Tx], Awaitable[object]]] = []
    for number, order in enumerate(orders):
        verbs += [
            expire_order_holds,
            lambda tx, order=order: renew_hold(tx, order.id, hold_for=HOLD_FOR),  # type: ignore[misc]
            lambda tx: an_order(tx, account),
        ]
        if number % 2:
            verbs.append(lambda tx, order=order: pay(tx, order))  # type: ignore[misc]
        if number % 3 == 0:
            verbs.append(lambda tx, order=order: give_up(tx, order.id))  # type: ignore[misc]
    await asyncio.gather(*(act(verb) for verb in verbs))
    async with database.snapshot() as tx:
        owned = await tx.fetch("SELECT holder, state FROM server ORDER BY name")
        assert len(owned) == SERVERS
        holders = [row["holder"] for row in owned if row["holder"]]
        assert len(holders) == len(set(holders))
        states = {
            row["id"]: row["state"] for row in await tx.fetch("SELECT id, state FROM client_order")
        }
        assert all(states[holder] != "cancelled" for holder in holders)
        without = await tx.fetchval(
            "SELECT count(*) FROM address_claim c WHERE c.holder IS NOT NULL AND NOT EXISTS "
            "(SELECT FROM server s WHERE s.holder = c.holder)"
        )
        assert without == 0
        for number in range(1, 8, 2):
            assert states[orders[number].id] in {"paid", "cancelled"}
