"""Each consumer may be called twice, and does its work once."""

import asyncio
import re
from pathlib import Path
from uuid import UUID

import pytest

import app
from app.core.errors import NotFound
from app.core.outbox import emit
from app.domain.accounts.roles import Role
from app.domain.notices.states import MailState
from app.domain.orders.cancel import cancel
from app.domain.orders.expire import expire_order_holds
from app.domain.orders.find import find_order, stuck
from app.domain.orders.states import UNSERVED, OrderState
from app.domain.orders.views import OrderView
from app.domain.services.open import open_service
from app.drivers.errors import Refused, Unreachable
from app.flows.start import NoFlow
from app.settings import Settings
from tests.accounts.people import make_account
from tests.jobs.desk import SETTINGS, Desk
from tests.notices.letters import make_mail

EMITS = re.compile(r'\bemit\(\s*tx,\s*"([a-z_.]+)"')


def test_every_topic_has_a_consumer(desk: Desk) -> None:
    """A row of a topic that nobody takes would stay due for ever."""
    sources = Path(app.__file__).parent.rglob("*.py")
    emitted = {topic for source in sources for topic in EMITS.findall(source.read_text())}
    assert {"order.placed", "order.paid", "admin.notice", "run.ended"} <= emitted
    assert emitted | {"mail.send"} == set(desk.consumers)


async def started(desk: Desk) -> tuple[OrderView, UUID]:
    """A paid order and its run, which nobody has begun to drive."""
    await desk.bind_flow()
    order = await desk.order()
    await desk.pay(order)
    await desk.work()
    return order, await desk.value("SELECT id FROM run WHERE subject = $1", order.id)


async def waiting(desk: Desk) -> tuple[OrderView, UUID]:
    """A paid order whose run waits for a server, which another order holds."""
    await desk.bind_flow()
    order = await desk.order()
    desk.clock.advance(minutes=16)
    async with desk.database.transaction() as tx:
        await expire_order_holds(tx)
    await desk.order("faster@example.org")
    await desk.pay(order)
    await desk.work()
    await desk.drive()
    return order, await desk.value("SELECT id FROM run WHERE subject = $1", order.id)


async def test_a_paid_order_starts_one_run(desk: Desk) -> None:
    order, run = await started(desk)
    payload = {"order": str(order.id)}
    # The relay that called first died before it noted that: its row has the key of the run.
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE outbox SET done_at = NULL WHERE topic = 'order.paid'")
        await tx.execute("UPDATE outbox SET due_at = $1 WHERE topic = 'order.paid'", tx.now())
    await desk.work()
    assert await desk.value("SELECT count(*) FROM run") == 1
    assert await desk.value("SELECT run FROM client_order WHERE id = $1", order.id) == run
    assert await desk.value("SELECT count(*) FROM token") == 1
    key = await desk.value("SELECT dedup_key FROM run")
    assert key == f"order.paid:{payload['order']}"


async def test_consumers_of_one_row_at_once_start_one_run(desk: Desk) -> None:
    await desk.bind_flow()
    order = await desk.order()
    await desk.pay(order)
    payload = {"order": str(order.id)}
    await asyncio.gather(*(desk.call("order.paid", payload, times=1) for _ in range(4)))
    (run,) = await desk.rows("SELECT id FROM run")
    assert await desk.value("SELECT run FROM client_order") == run["id"]


async def test_an_order_cancelled_before_its_flow_began_starts_none(desk: Desk) -> None:
    order = await desk.order()
    await desk.pay(order)
    async with desk.database.transaction() as tx:
        await cancel(tx, order.id, actor=None, actor_label="test", reason="no")
    await desk.call("order.paid", {"order": str(order.id)})  # and no flow is missed
    assert await desk.value("SELECT count(*) FROM run") == 0


async def test_no_flow_is_said(desk: Desk) -> None:
    order = await desk.order()
    await desk.pay(order)
    with pytest.raises(NoFlow, match="dedicated"):
        await desk.call("order.paid", {"order": str(order.id)})
    async with desk.database.snapshot() as tx:
        (seen,) = await stuck(tx)
    assert (seen.id, seen.state) == (order.id, OrderState.paid)
    assert seen.state_reason == UNSERVED
    # It begins once there is one, and the reason is gone.
    await desk.bind_flow()
    await desk.call("order.paid", {"order": str(order.id)})
    async with desk.database.snapshot() as tx:
        assert (await find_order(tx, order.id)).state_reason == ""


async def test_a_mail_goes_out_once_and_wakes_its_waiter(desk: Desk) -> None:
    mail = await make_mail(desk.database, desk.vault)
    await desk.call("mail.send", {"mail": str(mail)})
    assert len(desk.mailer.messages) == 1
    assert desk.mailer.messages[0].from_ == SETTINGS["mail_from"]
    keys = await desk.rows("SELECT DISTINCT signal_key FROM run_signal")
    assert [row["signal_key"] for row in keys] == [f"mail:{mail}"]


async def test_a_refused_mail_wakes_its_waiter_too(desk: Desk) -> None:
    mail = await make_mail(desk.database, desk.vault)
    desk.mailer.answer = Refused("mail", field="to", reason="550 no such mailbox")
    await desk.call("mail.send", {"mail": str(mail)}, times=1)
    assert await desk.value("SELECT state FROM mail") == MailState.refused
    assert await desk.value("SELECT signal_key FROM run_signal") == f"mail:{mail}"


async def test_a_mail_that_is_still_to_be_sent_wakes_nobody(desk: Desk) -> None:
    mail = await make_mail(desk.database, desk.vault)
    desk.mailer.answer = Unreachable("mail:25", "connection refused")
    with pytest.raises(Unreachable):
        await desk.call("mail.send", {"mail": str(mail)})
    assert await desk.value("SELECT count(*) FROM run_signal") == 0


async def test_stock_wakes_the_runs_that_wait_for_it(desk: Desk) -> None:
    order, run = await waiting(desk)
    assert await desk.value("SELECT wake_at FROM run WHERE id = $1", run) > desk.clock.now()
    await desk.call("stock.appeared", {"server": "any"})
    assert await desk.value("SELECT wake_at FROM run WHERE id = $1", run) == desk.clock.now()
    # Nothing fits yet: it looks, and waits again.
    await desk.drive()
    assert await desk.value("SELECT wake_at FROM run WHERE id = $1", run) > desk.clock.now()
    assert await desk.value("SELECT count(*) FROM server WHERE holder = $1", order.id) == 0


async def test_a_server_that_is_given_back_goes_to_who_waits(desk: Desk) -> None:
    order, run = await waiting(desk)
    other = await desk.value("SELECT id FROM client_order WHERE id <> $1", order.id)
    async with desk.database.transaction() as tx:
        await cancel(tx, other, actor=None, actor_label="test", reason="no")
    await desk.work()
    assert await desk.value("SELECT wake_at FROM run WHERE id = $1", run) == desk.clock.now()


async def test_staff_are_told_once_with_the_providers_name(desk: Desk) -> None:
    notice = {"title": "A run halted", "text": "Correct it.\nThen retry.", "path": "/admin/runs/1"}
    await desk.call("admin.notice", notice)
    mail = await desk.mail("staff-notice")
    assert mail.recipient == "staff@harbour.example"
    assert "A run halted" in mail.subject
    assert "https://portal.example/admin/runs/1" in mail.text
    assert mail.lines[-1] == "Harbour Hosting"


async def test_without_an_address_every_owner_is_told(desk: Desk) -> None:
    desk.settings = Settings(_env_file=None, **SETTINGS | {"admin_mail": ""})
    for name, role in (("a", Role.OWNER), ("b", Role.OWNER), ("c", Role.CLIENT)):
        await make_account(desk.database, f"{name}@example.com", role=role)
    gone = await make_account(desk.database, "gone@example.com", role=Role.OWNER)
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE account SET disabled_at = $2 WHERE id = $1", gone.id, tx.now())
    await desk.call("admin.notice", {"title": "Look"})
    rows = await desk.rows("SELECT recipient FROM mail ORDER BY recipient")
    assert [row["recipient"] for row in rows] == ["a@example.com", "b@example.com"]


async def test_more_notices_at_once_than_the_pool_has_connections(desk: Desk) -> None:
    """One that held a connection and asked for a second would wait for the others for ever."""
    desk.settings = Settings(_env_file=None, **SETTINGS | {"admin_mail": ""})
    await make_account(desk.database, "owner@example.com", role=Role.OWNER)
    notices = desk.database.pool.get_max_size() + 1
    async with desk.database.transaction() as tx:
        for number in range(notices):
            await emit(tx, "admin.notice", f"notice:{number}", {"title": f"Notice {number}"})
    relay = desk.relay()
    assert await relay.sweep() == notices
    async with asyncio.timeout(20):
        await relay.idle()
    assert await desk.value("SELECT count(*) FROM mail") == notices


async def test_a_failed_run_fails_its_order_once(desk: Desk) -> None:
    order, run = await started(desk)
    ended = {"run": str(run), "subject": str(order.id), "status": "failed"}
    await desk.call("run.ended", ended)
    async with desk.database.snapshot() as tx:
        failed = await find_order(tx, order.id)
    assert failed.state is OrderState.failed
    assert failed.state_reason == "The delivery failed and everything was given back."
    told = await desk.rows("SELECT payload->>'kind' AS kind FROM outbox WHERE topic LIKE 'admin.%'")
    assert [row["kind"] for row in told] == ["order.failed"]


async def test_a_run_that_was_cancelled_cancels_its_order(desk: Desk) -> None:
    order, run = await started(desk)
    ended = {"run": str(run), "subject": str(order.id), "status": "cancelled"}
    await desk.call("run.ended", ended)
    assert await desk.value("SELECT state FROM client_order") == OrderState.cancelled


async def test_a_cancelled_order_stops_its_run_and_ends_its_service(desk: Desk) -> None:
    order, run = await waiting(desk)
    async with desk.database.transaction() as tx:
        await cancel(tx, order.id, actor=None, actor_label="test", reason="no")
    await desk.call("order.cancelled", {"order": str(order.id)})
    assert await desk.value("SELECT cancel_requested FROM run WHERE id = $1", run)
    assert await desk.value("SELECT state FROM service") == "terminated"
    await desk.drive()
    assert await desk.value("SELECT status FROM run WHERE id = $1", run) == "cancelled"
    await desk.call("order.cancelled", {"order": str(order.id)})
    assert await desk.value("SELECT status FROM run WHERE id = $1", run) == "cancelled"


async def test_a_cancelled_order_without_a_run_has_nothing_to_stop(desk: Desk) -> None:
    order = await desk.order()
    async with desk.database.transaction() as tx:
        await open_service(tx, order.id)
        await cancel(tx, order.id, actor=None, actor_label="test", reason="no")
    await desk.call("order.cancelled", {"order": str(order.id)})
    assert await desk.value("SELECT state FROM service") == "terminated"


async def test_an_order_that_is_not_there_is_said(desk: Desk) -> None:
    nobody = {"order": str(UUID(int=1))}
    for topic in (
        *("order.placed", "order.paid", "payment.received"),
        *("order.waits_for_stock", "order.refunded", "order.cancelled"),
    ):
        with pytest.raises(NotFound):
            await desk.call(topic, nobody)
