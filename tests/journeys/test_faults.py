"""What goes wrong at night, and is put right by itself."""

import asyncio
import os
import signal
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest

from app.domain.inventory.quarantine import release_from_quarantine
from app.domain.inventory.release import finish_cleaning
from app.domain.orders.views import OrderView
from app.flows.steer import retry_halted
from tests.journeys.conftest import Provider
from tests.journeys.waiting import until


@pytest.mark.parametrize(
    "faults",
    [
        {
            "hang": "no answer",
            "ignore-reset": "asked for",
            "never-calls-back": "no word from the machine",
        },
        {"refuse": "refused", "wrong-password": ""},
        {"revert-boot": "", "install-fails:3": ""},
    ],
    ids=["silent", "refusing", "failing"],
)
async def test_broken_machines_are_put_aside_and_others_are_delivered(
    provider: Provider, faults: Mapping[str, str]
) -> None:
    """Of what a machine does, the reason says for what it was put aside.

    They break a few at a time: where many do, it is taken for an outage and waited for.
    """
    orders: dict[str, OrderView] = {}
    async with provider.client() as portal:
        for fault in faults:
            orders[fault] = await provider.order(portal)
            await provider.break_machine(_sold(orders[fault]), fault)
        for order in orders.values():
            await provider.pay(portal, order)
        delivered = await asyncio.gather(
            *(provider.delivered(order.id, within_s=90) for order in orders.values())
        )
    broken = {fault: _sold(order) for fault, order in orders.items()}
    assert not set(broken.values()) & {_sold(order) for order in delivered}
    for fault, reason in faults.items():
        aside = await provider.server(broken[fault])
        assert aside["state"] == "quarantined", fault
        assert aside["state_reason"]
        assert reason in aside["state_reason"]
        assert aside["holder"] is None
        await _mended(provider, aside, by_itself=fault == "hang")


def _sold(order: OrderView) -> str:
    assert order.server_name is not None
    return order.server_name


async def _mended(provider: Provider, aside: dict[str, Any], *, by_itself: bool) -> None:
    """Take it out of quarantine; it is in stock once its disks are erased, or said to be."""
    await provider.break_machine(aside["name"], None)
    async with provider.database.transaction() as tx:
        await release_from_quarantine(
            tx, aside["id"], actor=None, actor_label="test", reason="mended"
        )
        # The order's data may be on its disks: an installation was begun on it.
        state = await tx.fetchval("SELECT state FROM server WHERE id = $1", aside["id"])
        assert state == "cleaning"
        if not by_itself:  # a person was quicker than the live system
            await finish_cleaning(tx, aside["id"], actor=None, actor_label="test", reason="erased")
    if by_itself:
        await provider.erased(aside["name"])
    assert (await provider.server(aside["name"]))["state"] == "available"


async def test_a_mail_server_that_is_down_delays_the_mail_and_nothing_else(
    provider: Provider,
) -> None:
    await provider.break_mail("refuse")
    async with provider.client() as portal:
        order = await provider.order(portal)
        await provider.pay(portal, order)

        async def is_delivered() -> bool:
            return (await provider.find(order.id)).state == "delivered"

        await until(is_delivered, within_s=60)
        assert await provider.mails(order.account_email, order.hostname) == []
        page = await portal.http.get(f"/services/{(await provider.find(order.id)).service_id}")
        assert page.status_code == 200
    await provider.break_mail("off")
    await provider.delivered(order.id, within_s=60)
    assert len(await provider.mails(order.account_email, order.hostname)) == 1


async def test_a_worker_killed_as_it_talks_to_a_bmc_repeats_no_finished_step(
    provider: Provider,
) -> None:
    stack = provider.stack
    async with provider.client() as portal:
        order = await provider.order(portal)
        await provider.pay(portal, order)

        async def is_talking_to_the_bmc() -> bool:
            return await _is_installing_and_talks_to_a_bmc(provider, order.id)

        await until(is_talking_to_the_bmc, within_s=30, every_s=0)  # it is over in 40 ms
        worker = stack.workers.pop()
        os.kill(worker.process.pid, signal.SIGKILL)
        await worker.process.wait()
        await asyncio.sleep(1)  # the installation goes on while no worker lives
        stack.workers.append(await stack.start_worker())
        order = await provider.delivered(order.id, within_s=60)
    steps = await provider.steps(order.id)
    assert [(node, attempt) for _, node, attempt, _ in steps] == [
        ("paid", 1), ("attempts", 1), ("server", 1), ("addresses", 1), ("port", 1),
        ("install", 1), ("health", 1), ("service", 1), ("mail", 1),
    ], await provider.errors(order.id)  # fmt: skip
    assert len(await provider.mails(order.account_email, order.hostname)) == 1
    async with provider.database.snapshot() as tx:
        assert (
            await tx.fetchval(
                'SELECT count(*) FROM installation i JOIN service s ON s.id = i.service WHERE s."order" = $1',
                order.id,
            )
            == 1
        )


async def _is_installing_and_talks_to_a_bmc(provider: Provider, order: UUID) -> bool:
    async with provider.database.snapshot() as tx:
        talks = await tx.fetchval(
            "SELECT true FROM step_attempt a JOIN run r ON r.id = a.run "
            "WHERE r.subject = $1 AND a.node = 'install' "
            "AND EXISTS (SELECT FROM turn WHERE key LIKE 'bmc:%')",
            order,
        )
    return bool(talks)


async def test_a_broken_script_stops_its_orders_until_it_is_mended(provider: Provider) -> None:
    """One server is put aside for it, and comes back; the other waits for the mended script."""

    async def is_halted() -> bool:
        async with provider.database.snapshot() as tx:
            status = await tx.fetchval("SELECT status FROM run WHERE subject = $1", order.id)
        return bool(status == "halted")

    await _give_script(provider, "echo no licence\nfalse\n")
    try:
        async with provider.client() as portal:
            order = await provider.order(portal)
            await provider.pay(portal, order)
            await until(is_halted, within_s=60)
            page = (await portal.http.get(f"/orders/{order.id}")).text
    finally:
        await _give_script(provider, "")
    assert "This takes longer than usual" in page
    assert "licence" not in page
    held = _sold(await provider.find(order.id))
    assert held != _sold(order)
    assert (await provider.errors(order.id))[-1].endswith("ended with status 1: no licence")
    await provider.erased(_sold(order))
    async with provider.database.transaction() as tx:
        run = await tx.fetchval("SELECT id FROM run WHERE subject = $1", order.id)
        notices = await tx.fetchval(
            "SELECT count(*) FROM outbox WHERE topic = 'admin.notice' AND payload->>'run' = $1",
            str(run),
        )
        await retry_halted(tx, run)
    assert notices == 1
    assert _sold(await provider.delivered(order.id)) == held


async def _give_script(provider: Provider, script: str) -> None:
    async with provider.database.transaction() as tx:
        await tx.execute("UPDATE product SET post_install = $1 WHERE slug = 'metal-s'", script)
