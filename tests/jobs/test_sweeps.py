"""The periodic jobs, with the clock set and only the outside made up."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from app.core.clock import SetClock
from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.accounts.sessions import start_session
from app.domain.billing.refund import refund_order
from app.domain.billing.start_payment import start_payment
from app.domain.inventory.register import register_bmc
from app.domain.inventory.seed import BmcSeed
from app.domain.orders.expire import HOLD_EXPIRED, NEVER_PAID
from app.domain.orders.find import find_order
from app.domain.orders.states import OrderState
from app.drivers.errors import NotReached, Unauthorised, Unreachable
from app.drivers.power import Power
from app.flows.signals import send_signal
from app.jobs import sweeps
from app.jobs.sweeps import POWER_PARALLEL, expire, read_power, reconcile_payments
from tests.accounts.people import make_account
from tests.billing.gateway import TestGateway
from tests.jobs.desk import Desk
from tests.orders.world import machines


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


async def with_bmcs(desk: Desk, states: dict[str, str]) -> dict[str, UUID]:
    """Give a rack of servers BMCs and states; returns each server's id by its BMC's URL."""
    made: dict[str, UUID] = {}
    async with desk.database.transaction() as tx:
        rack = await machines(tx, len(states), rack="b", prefix="198.51.100.0/26")
        rows = await tx.fetch("SELECT id FROM server WHERE rack = $1 ORDER BY u_position", rack)
        for row, (url, state) in zip(rows, states.items(), strict=True):
            seed = BmcSeed(url=url, username="root", password="calvin", system_path="/redfish/v1")
            await register_bmc(tx, desk.vault, row["id"], seed)
            await tx.execute(
                "UPDATE server SET state = $2, holder = $3 WHERE id = $1",
                row["id"],
                state,
                None if state == "available" else new_id(),
            )
            made[url] = row["id"]
    return made


async def powers(desk: Desk) -> dict[str, tuple[str, timedelta | None]]:
    """The power of each server by its BMC's URL, and how long ago it was seen."""
    rows = await desk.rows(
        "SELECT b.url, s.power, s.power_seen_at FROM bmc b JOIN server s ON s.id = b.server"
    )
    now = desk.clock.now()
    return {
        row["url"]: (row["power"], row["power_seen_at"] and now - row["power_seen_at"])
        for row in rows
    }


async def test_power_is_noted_and_a_bmc_that_fails_spoils_no_other(desk: Desk) -> None:
    states = {
        "https://on": "active",
        "https://away": "active",
        "https://locked": "provisioning",
        "https://late": "active",
        "https://off": "provisioning",
        "https://stock": "available",
    }
    servers = await with_bmcs(desk, states)
    desk.fleet.answers = {
        "https://on": Power.ON,
        "https://away": Unreachable("bmc", "timed out"),
        "https://locked": Unauthorised("bmc", "401"),
        "https://late": NotReached("bmc", wanted="on", seen="off", deadline_s=1),
        "https://off": Power.OFF,
    }
    told: list[frozenset[str]] = []

    async def listen(topics: frozenset[str]) -> None:
        told.append(topics)

    desk.database.after_commit = listen
    await read_power(desk.ctx)
    assert sorted(desk.fleet.asked) == sorted(set(states) - {"https://stock"})
    now = timedelta()
    seen = await powers(desk)
    assert (seen["https://on"], seen["https://off"]) == (("on", now), ("off", now))
    for url in ("https://away", "https://locked", "https://late", "https://stock"):
        assert seen[url] == ("unknown", None)
    topics = frozenset().union(*told)
    changed = {f"server:{servers[url]}" for url in ("https://on", "https://off")}
    assert {topic for topic in topics if topic.startswith("server:")} == changed
    told.clear()
    desk.clock.advance(seconds=30)
    desk.fleet.answers["https://on"] = Unreachable("bmc", "timed out")
    desk.fleet.answers["https://away"] = Power.ON
    await read_power(desk.ctx)
    seen = await powers(desk)
    assert seen["https://on"] == ("on", timedelta(seconds=30))
    assert seen["https://off"] == ("off", now)
    assert seen["https://away"] == ("on", now)
    topics = frozenset().union(*told)
    changed = {f"server:{servers['https://away']}"}
    assert {topic for topic in topics if topic.startswith("server:")} == changed


async def test_without_servers_in_use_no_bmc_is_asked(desk: Desk) -> None:
    await with_bmcs(desk, {"https://stock": "available"})
    await read_power(desk.ctx)
    assert desk.fleet.asked == []


async def test_only_so_many_bmcs_are_asked_at_once(desk: Desk) -> None:
    states = {f"https://{number}": "active" for number in range(POWER_PARALLEL + 4)}
    await with_bmcs(desk, states)
    at_once, most = 0, 0
    fleet = desk.fleet
    fleet.answers = dict.fromkeys(states, Power.ON)
    plain = fleet.bmc

    def counted(address: Any) -> Any:
        bmc = plain(address)
        read = bmc.power.read

        async def slow() -> Power:
            nonlocal at_once, most
            at_once += 1
            most = max(most, at_once)
            for _ in range(50):
                await asyncio.sleep(0)
            at_once -= 1
            return await read()

        bmc.power.read = slow
        return bmc

    fleet.bmc = counted  # type: ignore[method-assign]
    await read_power(desk.ctx)
    assert 1 < most <= POWER_PARALLEL
    assert {power for power, _ in (await powers(desk)).values()} == {"on"}


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
