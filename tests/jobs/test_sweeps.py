"""The periodic jobs, with the clock set and only the outside made up."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from app.core.clock import SetClock
from app.core.outbox import emit
from app.domain.accounts.sessions import start_session
from app.domain.billing.refund import refund_order
from app.domain.billing.start_payment import start_payment
from app.domain.orders.expire import HOLD_EXPIRED, NEVER_PAID
from app.domain.orders.find import find_order
from app.domain.orders.states import OrderState
from app.flows.signals import send_signal
from app.jobs import sweeps
from app.jobs.sweeps import expire, reconcile_payments
from tests.accounts.people import make_account
from tests.billing.gateway import TestGateway
from tests.jobs.desk import Desk


async def test_holds_that_are_over_are_given_back(desk: Desk) -> None:
    order = await desk.order()
    desk.clock.advance(minutes=14)
    await expire(desk.ctx)
    held = "SELECT count(*) FROM address_claim WHERE holder = $1 AND state = 'held'"
    assert await desk.value("SELECT state FROM server") == "held"
    assert await desk.value(held, order.id) > 0
    desk.clock.advance(minutes=1)
    await asyncio.gather(*(expire(desk.ctx) for _ in range(3)))
    (server,) = await desk.rows("SELECT state, holder FROM server")
    assert (server["state"], server["holder"]) == ("available", None)
    assert await desk.value(held, order.id) == 0
    async with desk.database.snapshot() as tx:
        left = await find_order(tx, order.id)
    assert left.state is OrderState.awaiting_payment
    assert (left.hold_expires_at, left.state_reason) == (None, HOLD_EXPIRED)
    await desk.work()
    assert await desk.value("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0
    second = await desk.order("second@example.org")
    assert second.server_name is not None


async def test_an_order_that_nobody_pays_is_cancelled_after_the_days_of_the_settings(
    desk: Desk,
) -> None:
    order = await desk.order()
    desk.clock.advance(days=14, seconds=-1)
    await expire(desk.ctx)
    assert await desk.value("SELECT state FROM client_order") == OrderState.awaiting_payment
    desk.clock.advance(seconds=1)
    for _ in range(2):
        await expire(desk.ctx)
    async with desk.database.snapshot() as tx:
        over = await find_order(tx, order.id)
    assert (over.state, over.state_reason) == (OrderState.cancelled, NEVER_PAID)
    assert await desk.value("SELECT state FROM invoice") == "void"
    assert await desk.value("SELECT count(*) FROM outbox WHERE topic = 'order.cancelled'") == 1


async def test_addresses_come_back_after_their_cool_down(desk: Desk) -> None:
    order = await desk.order()
    await desk.pay(order)
    async with desk.database.transaction() as tx:
        await refund_order(tx, order.id, actor=None, actor_label="test", reason="no")
    cooling = "SELECT count(*) FROM address_claim WHERE state = 'quarantined'"
    assert await desk.value(cooling) > 0
    ends = await desk.value("SELECT max(expires_at) FROM address_claim WHERE state = 'quarantined'")
    desk.clock.advance(seconds=(ends - desk.clock.now()).total_seconds() - 1)
    await expire(desk.ctx)
    assert await desk.value(cooling) > 0
    desk.clock.advance(seconds=1)
    await expire(desk.ctx)
    assert await desk.value(cooling) == 0


async def test_sessions_end(desk: Desk) -> None:
    account = await make_account(desk.database)
    async with desk.database.transaction() as tx:
        await start_session(tx, account, address="192.0.2.1", agent="test")
    ends = await desk.value("SELECT max(expires_at) FROM session")
    await expire(desk.ctx)
    assert await desk.value("SELECT count(*) FROM session") == 1
    desk.clock.advance(seconds=(ends - desk.clock.now()).total_seconds())
    await expire(desk.ctx)
    assert await desk.value("SELECT count(*) FROM session") == 0


async def test_a_payment_whose_webhook_was_lost_is_found(desk: Desk) -> None:
    gateway = TestGateway()
    order = await desk.order()
    assert order.invoice_id is not None
    begun = await start_payment(
        desk.database,
        gateway,
        order.invoice_id,
        account=order.account_id,
        return_url="x",
        hold_for=timedelta(minutes=15),
    )
    gateway.decide(begun.started.ref)
    desk.clock.advance(minutes=1)
    ctx: dict[str, Any] = {"slipway": replace(desk.ctx["slipway"], gateways={"stripe": gateway})}
    for _ in range(2):
        await reconcile_payments(ctx)
    assert gateway.asked == [begun.started.ref]
    assert await desk.value("SELECT state FROM client_order") == OrderState.paid
    assert await desk.value("SELECT count(*) FROM outbox WHERE topic = 'payment.received'") == 1


async def test_a_sweep_that_fails_keeps_no_other_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(_: object) -> None:
        raise RuntimeError("broken")

    done: list[str] = []

    async def note(_: object) -> None:
        done.append("sessions")

    monkeypatch.setattr(sweeps, "expire_order_holds", fail)
    monkeypatch.setattr(sweeps, "expire_sessions", note)
    with pytest.raises(ExceptionGroup, match="some of the sweep failed"):
        await sweeps.expire(desk.ctx)
    assert done == ["sessions"]


async def test_what_was_passed_on_long_ago_is_forgotten(desk: Desk, clock: SetClock) -> None:
    async with desk.database.transaction() as tx:
        await emit(tx, "admin.notice", "old", {"title": "Old", "text": "Old."})
        await send_signal(tx, "nobody:1")
    await desk.work()
    clock.advance(days=31)
    await sweeps.forget(desk.ctx)
    assert await desk.value("SELECT count(*) FROM outbox WHERE done_at IS NOT NULL") == 0
    assert await desk.value("SELECT count(*) FROM run_signal") == 0
