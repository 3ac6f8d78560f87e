"""Runs: steps in order, outputs to expressions, retries, branches, waits, loops, halts."""

from app.flows.document import Retry
from app.flows.signals import send_signal, wake_waiters
from app.flows.steer import cancel_run, retry_halted
from app.flows.timeline import StepStatus, timeline_of
from tests.flows.conftest import QUICK, Workshop, chain, document
from tests.flows.nodes import busy


async def test_steps_run_in_order_and_see_what_came_before(workshop: Workshop) -> None:
    run = await workshop.start(
        chain(
            a=("t.note", {"params": {"text": "for ${input.name}"}}),
            b=("t.call", {"params": {"text": "=steps.a.text + '!'"}}),
            c=("t.note", {"params": {"text": "=steps.b.text"}}),
        )
    )
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/a:for Ada", "/c:for Ada!"]


async def test_the_same_key_starts_one_run(workshop: Workshop) -> None:
    first = await workshop.start(chain(a="t.note"))
    assert await workshop.start(chain(a="t.note")) == first


async def test_a_transient_error_is_tried_again_later_and_slower(workshop: Workshop) -> None:
    run = await workshop.start(chain(a=("t.call", {"retry": QUICK})))
    workshop.world.refusals["a"] = [busy(), busy()]
    await workshop.drive()
    assert await workshop.status(run) == "waiting"
    workshop.clock.advance(seconds=1.9)
    await workshop.drive()
    assert len(workshop.world.refusals["a"]) == 1
    workshop.clock.advance(seconds=0.2)
    await workshop.drive()
    assert workshop.world.refusals["a"] == []
    workshop.clock.advance(seconds=3.9)
    await workshop.drive()
    assert await workshop.status(run) == "waiting"
    workshop.clock.advance(seconds=0.2)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert [status for _, _, status in await workshop.attempts(run)] == [
        "succeeded", "failed", "failed", "succeeded",
    ]  # fmt: skip


async def test_what_stays_refused_halts_for_a_person_who_is_told(workshop: Workshop) -> None:
    run = await workshop.start(
        chain(a=("t.refuse", {"params": {"text": "no such plan"}}), b="t.note")
    )
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    async with workshop.database.snapshot() as tx:
        told = await tx.fetchval("SELECT payload->>'text' FROM outbox WHERE topic = 'admin.notice'")
    assert "no such plan" in told
    workshop.clock.advance(days=1)
    await workshop.drive()
    assert await workshop.status(run) == "halted"


async def test_a_halted_step_is_retried_and_finished_ones_are_not_run_again(
    workshop: Workshop,
) -> None:
    run = await workshop.start(chain(a="t.note", b=("t.call", {"retry": Retry(max=1)}), c="t.note"))
    workshop.world.refusals["b"] = [busy()]
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/a:", "/c:"]


async def test_an_error_branch_is_taken_instead_of_halting(workshop: Workshop) -> None:
    run = await workshop.start(
        document(
            {"a": "t.refuse", "good": "t.note", "bad": "t.note"},
            [("begin.out", "a.in"), ("a.out", "good.in"), ("a.error", "bad.in")],
        )
    )
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/bad:"]


async def test_a_wait_sleeps_in_the_database_and_goes_on_at_its_time(workshop: Workshop) -> None:
    run = await workshop.start(chain(a=("t.pause", {"params": {"seconds": 3600}}), b="t.note"))
    await workshop.drive()
    assert await workshop.status(run) == "waiting"
    async with workshop.database.snapshot() as tx:
        assert await tx.fetchval("SELECT lease_until FROM run WHERE id = $1", run) is None
    workshop.clock.advance(minutes=59)
    await workshop.drive()
    assert await workshop.notes() == []
    workshop.clock.advance(minutes=2)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


async def test_a_signal_wakes_its_waiter_before_its_time(workshop: Workshop) -> None:
    run = await workshop.start(
        chain(a=("t.pause", {"params": {"seconds": 3600, "signal": "done:1"}}))
    )
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await send_signal(tx, "done:2")
    await workshop.drive()
    assert await workshop.status(run) == "waiting"
    async with workshop.database.transaction() as tx:
        await wake_waiters(tx, "done:")
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


async def test_a_signal_that_comes_before_its_waiter_is_not_lost(workshop: Workshop) -> None:
    async with workshop.database.transaction() as tx:
        await send_signal(tx, "done:1")
    run = await workshop.start(
        chain(a=("t.pause", {"params": {"seconds": 3600, "signal": "done:1"}}))
    )
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"


async def test_a_container_repeats_its_body_until_its_condition_holds(workshop: Workshop) -> None:
    run = await workshop.start(
        document(
            {
                "again": ("logic.repeat", {"params": {"until": "=has(steps.a)", "max": 4}}),
                "n": ("t.note", {"within": "again", "params": {"text": "${iteration.count}"}}),
                "a": ("t.call", {"within": "again"}),
                "aside": ("t.note", {"within": "again"}),
                "end": ("t.note", {"params": {"text": "after ${steps.again.count}"}}),
            },
            [
                ("begin.out", "again.in"), ("again.each", "n.in"), ("n.out", "a.in"),
                ("a.error", "aside.in"), ("again.done", "end.in"),
            ],
        )
    )  # fmt: skip
    workshop.world.refusals["a"] = [busy(), busy()]
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == [
        "/again:1aside:", "/again:1n:1", "/again:2aside:", "/again:2n:2", "/again:3n:3", "/end:after 3",
    ]  # fmt: skip


async def test_an_exhausted_container_leaves_by_its_own_port(workshop: Workshop) -> None:
    run = await workshop.start(
        document(
            {
                "again": ("logic.repeat", {"params": {"until": "=false", "max": 2}}),
                "n": ("t.note", {"within": "again"}),
                "tired": "t.note",
            },
            [("begin.out", "again.in"), ("again.each", "n.in"), ("again.exhausted", "tired.in")],
        )
    )
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/again:1n:", "/again:2n:", "/tired:"]


async def test_cancelling_undoes_what_was_done_in_reverse(workshop: Workshop) -> None:
    run = await workshop.start(
        chain(a="t.note", b="t.call", c="t.call", d=("t.pause", {"params": {"seconds": 60}}))
    )
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert workshop.world.undone == [f"{run}:/:c", f"{run}:/:b"]
    assert await workshop.notes("unnoted") == ["/a"]
    async with workshop.database.snapshot() as tx:
        shown = await timeline_of(tx, run)
    assert {entry.status for entry in shown.entries} == {StepStatus.pending}
    assert shown.expected_end is None


async def test_a_flow_that_compensates_does_so_by_itself(workshop: Workshop) -> None:
    steps = {"a": "t.call", "b": "t.refuse"}
    edges = [("begin.out", "a.in"), ("a.out", "b.in")]
    run = await workshop.start(document(steps, edges, on_failure="compensate"))
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert workshop.world.undone == [f"{run}:/:a"]


async def test_the_timeline_shows_each_step_with_its_times(workshop: Workshop) -> None:
    run = await workshop.start(
        chain(a="t.note", p=("t.pause", {"params": {"seconds": 5}}), b="t.call")
    )
    await workshop.drive()
    async with workshop.database.snapshot() as tx:
        before = await timeline_of(tx, run)
    assert [(entry.label, entry.status) for entry in before.entries] == [
        ("Noted", StepStatus.done), ("Called", StepStatus.pending),
    ]  # fmt: skip
    workshop.clock.advance(seconds=5)
    await workshop.drive()
    other = await workshop.start(
        chain(a="t.note", p=("t.pause", {"params": {"seconds": 5}}), b="t.call"), key="two"
    )
    async with workshop.database.snapshot() as tx:
        after = await timeline_of(tx, run)
        fresh = await timeline_of(tx, other)
    assert {entry.status for entry in after.entries} == {StepStatus.done}
    assert all(entry.expected is not None for entry in fresh.entries)
