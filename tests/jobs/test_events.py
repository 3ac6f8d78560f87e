"""Events to flows, as the outbox tells them: at least once, and never for ever."""

from typing import Any
from uuid import UUID

import msgspec
import pytest

from app.core.ids import new_id
from app.core.outbox import emit
from app.domain.catalog.find import find_product
from app.domain.inventory.burn_in import begin_burn_in
from app.domain.inventory.quarantine import quarantine
from app.domain.orders.states import OrderState
from app.domain.orders.views import OrderView
from app.domain.services.deliver import deliver_service
from app.domain.services.open import open_service
from app.domain.services.suspend import suspend_service, unsuspend_service
from app.domain.services.terminate import terminate_service
from app.flows import registry
from app.flows.bind import bind
from app.flows.node import Subject
from app.flows.shipped import publish_for
from app.flows.start import start_flow
from tests.flows.nodes import nodes
from tests.flows.triggers.board import Board
from tests.jobs.desk import Desk
from tests.services.hall import give_bmcs

BY: dict[str, Any] = {"actor": None, "actor_label": "test", "reason": "The invoice is overdue."}
SHIPPED = registry.node_types


@pytest.fixture
def board(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Board:
    known = {**SHIPPED(), **nodes()}
    monkeypatch.setattr(registry, "node_types", lambda: known)
    return Board(desk.database, desk.clock)


async def again(desk: Desk) -> None:
    """Hand everything over once more, as a relay that died before it could note that would."""
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE outbox SET done_at = NULL, due_at = $1", tx.now())
    await desk.work()


async def end_runs(desk: Desk) -> None:
    """Do what a worker does with runs that are through, or are cancelled before they began."""
    async with desk.database.transaction() as tx:
        await tx.execute(
            "UPDATE run SET status = CASE WHEN cancel_requested THEN 'cancelled' "
            "ELSE 'succeeded' END, finished_at = $1 WHERE finished_at IS NULL",
            tx.now(),
        )


async def active(desk: Desk) -> tuple[OrderView, UUID]:
    """An order with a service that was delivered on the shop's only server."""
    order = await desk.order()
    async with desk.database.transaction() as tx:
        service = await open_service(tx, order.id)
        server = await tx.fetchval("SELECT id FROM server")
        await deliver_service(tx, service, server=server)
    return order, service


async def bind_to(desk: Desk, board: Board, slug: str, event: str, kind: str) -> None:
    await board.listen(slug, kind)
    async with desk.database.transaction() as tx:
        category = (await find_product(tx, "ax-32")).category_id
        await bind(tx, category=category, trigger=event, flow=slug)


async def test_what_becomes_of_a_service_starts_the_flow_of_its_category(
    desk: Desk, board: Board
) -> None:
    for event in ("created", "suspended", "unsuspended", "terminated"):
        await bind_to(desk, board, event, f"service.{event}", f"service_{event}")
    order, service = await active(desk)
    for change in (suspend_service, unsuspend_service, terminate_service):
        async with desk.database.transaction() as tx:
            await change(tx, service, **BY)
        await desk.work()
        await end_runs(desk)
    await again(desk)
    runs = await board.runs()
    assert sorted(run["slug"] for run in runs) == [
        "created",
        "suspended",
        "terminated",
        "unsuspended",
    ]
    for run in runs:
        assert (run["subject"], run["subject_kind"]) == (service, "service")
        assert run["input"]["hostname"] == order.hostname
    (suspended,) = await board.runs("suspended")
    assert suspended["input"]["reason"] == "The invoice is overdue."
    told = await board.rows(
        "SELECT DISTINCT signal_key FROM run_signal WHERE signal_key ~ '^event' ORDER BY 1"
    )
    wanted = sorted(
        f"event:service.{event}:{name}"
        for event in ("created", "suspended", "unsuspended", "terminated")
        for name in (order.id, service)
    )
    assert [row["signal_key"] for row in told] == wanted


async def test_of_a_service_only_what_was_said_last_comes_about(desk: Desk, board: Board) -> None:
    """A machine that is waited for, to be off, is not switched off when its service runs again."""
    for event in ("suspended", "unsuspended"):
        await bind_to(desk, board, event, f"service.{event}", f"service_{event}")
    _, service = await active(desk)
    async with desk.database.transaction() as tx:
        await suspend_service(tx, service, **BY)
    await desk.work()
    async with desk.database.transaction() as tx:
        await unsuspend_service(tx, service, **BY)
    await desk.work()
    assert await board.runs("unsuspended") == []
    assert await desk.value("SELECT count(*) FROM run WHERE cancel_requested") == 1
    await end_runs(desk)
    await again(desk)
    assert len(await board.runs("unsuspended")) == 1


async def test_what_is_told_late_of_a_service_starts_nothing(desk: Desk, board: Board) -> None:
    for event in ("suspended", "terminated"):
        await bind_to(desk, board, event, f"service.{event}", f"service_{event}")
    _, service = await active(desk)
    async with desk.database.transaction() as tx:
        await suspend_service(tx, service, **BY)
        await terminate_service(tx, service, **BY)
    await desk.work()
    assert [run["slug"] for run in await board.runs()] == ["terminated"]
    told = await board.rows("SELECT signal_key FROM run_signal WHERE signal_key ~ 'suspended'")
    assert len(told) == 2


async def test_suspend_silently_does_nothing(desk: Desk, board: Board) -> None:
    """Pitfall: Proxmox-VE-for-WHMCS#34. Without a flow that switches it off, people are told."""
    _, service = await active(desk)
    async with desk.database.transaction() as tx:
        await suspend_service(tx, service, **BY)
    await desk.work()
    await again(desk)
    (notice,) = await board.notices()
    assert notice["kind"] == "service.unserved"
    assert notice["title"].endswith("is suspended, but nothing was switched off")
    assert "No enabled flow serves service.suspended" in notice["text"]
    assert "done by hand" in notice["text"]
    assert "staff-notice" in await desk.queued()


async def test_a_new_service_without_a_flow_needs_nobody(desk: Desk, board: Board) -> None:
    await active(desk)
    await desk.work()
    assert await board.notices() == []
    assert await desk.value("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0


async def test_a_payment_starts_what_listens_once(desk: Desk, board: Board) -> None:
    await desk.bind_flow()
    await board.listen("thanks", "payment_received", only_complete=True)
    await board.listen("transfers", "payment_received", gateways=["bank_transfer"])
    order = await desk.order()
    await desk.transfer(order, 1_000)
    await desk.pay(order, order.total_minor - 1_000)
    await desk.work()
    await again(desk)
    (thanks,) = await board.runs("thanks")
    (transfer,) = await board.runs("transfers")
    assert thanks["input"]["outcome"] == "paid"
    assert thanks["input"]["amount_minor"] == order.total_minor - 1_000
    assert transfer["input"]["gateway"] == "bank_transfer"
    assert transfer["subject"] == UUID(transfer["input"]["payment"])
    assert (thanks["subject_kind"], transfer["subject_kind"]) == ("payment", "payment")
    waits = await board.rows("SELECT DISTINCT signal_key FROM run_signal WHERE signal_key ~ 'pay'")
    names = {row["signal_key"].rpartition(":")[2] for row in waits}
    assert {str(order.id), str(order.invoice_id), thanks["input"]["payment"]} <= names


async def test_who_waits_for_an_order_to_be_paid_is_told(desk: Desk, board: Board) -> None:
    await desk.bind_flow()
    order = await desk.order()
    await desk.pay(order)
    await desk.work()
    key = f"event:order.paid:{order.id}"
    assert await desk.value("SELECT count(*) FROM run_signal WHERE signal_key = $1", key) == 1
    assert await desk.value("SELECT subject_kind FROM run WHERE subject = $1", order.id) == "order"


async def ended(board: Board, slug: str, status: str = "succeeded", **given: Any) -> UUID:
    """Start a run and end it, as the engine would."""
    async with board.database.transaction() as tx:
        run = await start_flow(tx, slug, **{"data": {"n": 1}, "dedup_key": f"{new_id()}", **given})
        await end(tx, run, status)
    return run


async def end(tx: Any, run: UUID, status: str) -> None:
    row = await tx.fetchrow(
        "UPDATE run SET status = $2, finished_at = $3, output = '{\"done\": true}' "
        "WHERE id = $1 RETURNING subject",
        run,
        status,
        tx.now(),
    )
    subject = row["subject"] and str(row["subject"])
    facts = {"run": str(run), "subject": subject, "status": status}
    await emit(tx, "run.ended", f"run.ended:{run}", facts)


async def test_another_flow_s_end_starts_a_flow_once_though_it_is_told_twice(
    desk: Desk, board: Board
) -> None:
    await board.listen("first", "manual")
    await board.listen("after", "flow_ended", flows=["first"], outcomes=["succeeded", "failed"])
    await board.listen("other", "flow_ended", flows=["another"])
    subject = new_id()
    run = await ended(board, "first", subject=subject, subject_kind=Subject.SERVICE)
    await ended(board, "first", "cancelled")
    await desk.work()
    await again(desk)
    (after,) = await board.runs("after")
    assert await board.runs("other") == []
    said = after["input"]
    assert (said["run"], said["flow"], said["outcome"]) == (str(run), "first", "succeeded")
    assert (said["input"], said["output"], said["version"]) == ({"n": 1}, {"done": True}, 1)
    assert (after["subject"], after["subject_kind"]) == (subject, "service")


async def test_flows_that_follow_each_other_s_end_run_once_each(desk: Desk, board: Board) -> None:
    for slug in ("first", "second", "third"):
        await board.listen(slug, "flow_ended")
    for slug, other in (("ping", "pong"), ("pong", "ping")):
        await board.listen(slug, "flow_ended", flows=[other])
    await ended(board, "ping")
    for _ in range(6):  # every run ends as soon as it is there
        await desk.work()
        async with desk.database.transaction() as tx:
            for row in await tx.fetch("SELECT id FROM run WHERE finished_at IS NULL"):
                await end(tx, row["id"], "succeeded")
    slugs = sorted(run["slug"] for run in await board.runs())
    assert slugs == ["first", "ping", "pong", "second", "third"]
    assert await desk.value("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0


async def test_the_end_of_a_sub_flow_wakes_its_parent(desk: Desk, board: Board) -> None:
    await board.listen("parent", "manual")
    await board.listen("child", "manual")
    parent = await ended(board, "parent")
    child = await ended(board, "child", "failed", parent=parent)
    await desk.work()
    told = await board.value("SELECT payload FROM run_signal WHERE signal_key = $1", f"run:{child}")
    assert msgspec.json.decode(told) == {"status": "failed"}
    key = f"run:{parent}"
    assert await board.value("SELECT count(*) FROM run_signal WHERE signal_key = $1", key) == 0


async def test_the_end_of_a_run_that_is_gone_is_nothing(desk: Desk, board: Board) -> None:
    await desk.call("run.ended", {"run": str(new_id()), "subject": None, "status": "failed"})
    assert await board.runs() == []


@pytest.mark.parametrize("status", ["failed", "cancelled"])
async def test_only_the_run_that_delivers_an_order_decides_about_it(
    desk: Desk, board: Board, status: str
) -> None:
    await desk.bind_flow()
    await board.listen("beside", "manual")
    order = await desk.order()
    await desk.pay(order)
    await desk.work()
    await ended(board, "beside", status, subject=order.id, subject_kind=Subject.ORDER)
    await desk.work()
    assert await desk.value("SELECT state FROM client_order") == OrderState.paid


async def test_an_alert_starts_what_listens_once(desk: Desk, board: Board) -> None:
    await board.listen("reboot", "alert", names=["Host*"])
    said = {"name": "HostDown", "severity": "critical", "labels": {"instance": "web-1"}}
    async with desk.database.transaction() as tx:
        await emit(tx, "alert.received", "alert:a:1:firing", said)
    await desk.work()
    await again(desk)
    (run,) = await board.runs("reboot")
    assert run["input"] == said
    key = "event:alert:HostDown"
    assert await desk.value("SELECT count(*) FROM run_signal WHERE signal_key = $1", key) == 2


async def test_what_staff_are_told_is_an_alert_of_our_own(desk: Desk, board: Board) -> None:
    await board.listen("tell-chat", "alert", names=["server.*"], source="slipway")
    async with desk.database.transaction() as tx:
        server = await tx.fetchval("SELECT id FROM server")
        await quarantine(tx, server, "smells burnt")
    await desk.work()
    await again(desk)
    (run,) = await board.runs("tell-chat")
    said = run["input"]
    assert (said["name"], said["severity"]) == ("server.quarantined", "warning")
    assert said["labels"]["server"] == str(server)
    assert "smells burnt" in said["description"]
    assert await desk.queued() == ["staff-notice"]


async def halt(board: Board, run: UUID, attempt: int) -> None:
    """Have the run halt, as the engine tells of it."""
    async with board.database.transaction() as tx:
        await emit(
            tx,
            "admin.notice",
            f"halted:{run}:/:note:{attempt}",
            {"subject": str(run), "title": "A run halted at note", "text": "no"},
        )


async def test_a_flow_triggered_by_alerts_whose_run_halts_does_not_start_itself_for_ever(
    desk: Desk, board: Board
) -> None:
    await board.listen("deploy", "manual")
    for slug in ("first", "second"):
        await board.listen(slug, "alert")
    async with desk.database.transaction() as tx:
        deploy = await start_flow(tx, "deploy", data={}, dedup_key="one")
    await halt(board, deploy, 1)
    for attempt in range(1, 5):  # every run halts, again after each retry of a person's
        await desk.work()
        for run in (*await board.runs("first"), *await board.runs("second")):
            await halt(board, run["id"], attempt)
    await desk.work()
    names = [(run["slug"], run["input"].get("name")) for run in await board.runs()]
    assert names == [("deploy", None), ("first", "run.halted"), ("second", "run.halted")]
    # People are told of every halt all the same.
    assert await desk.queued() == ["staff-notice"] * (1 + 2 * 4)


async def test_flows_that_refuse_every_alert_do_not_tell_of_each_other_for_ever(
    desk: Desk, board: Board
) -> None:
    """That a flow was not started is told to the staff, which is an alert again."""
    picky = {"required": ["rack"]}
    for slug in ("one", "two", "three"):
        await board.listen(slug, "alert", picky)
    async with desk.database.transaction() as tx:
        await emit(tx, "alert.received", "alert:a:1:firing", {"name": "HostDown"})
    await desk.work()
    assert await desk.value("SELECT count(*) FROM outbox WHERE done_at IS NULL") == 0
    assert sorted(notice["flow"] for notice in await board.notices()) == ["one", "three", "two"]
    assert await board.runs() == []


async def test_a_burn_in_begins_the_shipped_flow_unless_another_listened(desk: Desk) -> None:
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE server SET state = 'available', holder = NULL")
        server = await tx.fetchval("SELECT id FROM server")
        await give_bmcs(tx, desk.vault)
        await begin_burn_in(tx, server, minutes=60, **BY)
    await desk.work()
    await again(desk)
    async with desk.database.snapshot() as tx:
        (run,) = await tx.fetch(
            "SELECT f.slug, r.input FROM run r JOIN flow_version v ON v.id = r.flow_version "
            "JOIN flow f ON f.id = v.flow"
        )
    assert run["slug"] == "server-burn-in"
    assert msgspec.json.decode(run["input"])["server"] == str(server)
    async with desk.database.transaction() as tx:
        await tx.execute("UPDATE flow SET slug = 'our-burn-in'")
        await publish_for(tx, "server.burn_in")
        assert await tx.fetchval("SELECT count(*) FROM flow") == 1
