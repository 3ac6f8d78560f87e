"""Limits, undoing, and the timeline: what ends, what is taken back, and what a client sees."""

from datetime import timedelta

import pytest

from app.flows.document import Retry, Timeout
from app.flows.node import StepFailed
from app.flows.steer import cancel_run, retry_halted
from app.flows.timeline import StepStatus, TimelineEntry, timeline_of
from tests.flows.conftest import Workshop, chain, document
from tests.flows.nodes import busy
from tests.flows.test_trouble import error_of, notices

# Time limits


@pytest.mark.parametrize("kind", ["t.hang", "t.hang_here"])
async def test_an_attempt_that_takes_too_long_is_ended(workshop: Workshop, kind: str) -> None:
    run = await workshop.start(chain(a=(kind, {"timeout": Timeout(attempt="50ms")})))
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert "no answer within 50ms" in await error_of(workshop, run)


async def test_a_wait_that_takes_too_long_in_all_fails(workshop: Workshop) -> None:
    pause = {"params": {"seconds": 86_400}, "timeout": Timeout(total="10m")}
    run = await workshop.start(chain(a=("t.pause", pause)))
    await workshop.drive()
    workshop.clock.advance(minutes=9, seconds=59)
    await workshop.drive()
    assert await workshop.status(run) == "waiting"
    workshop.clock.advance(seconds=1)
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert "not done within 10m" in await error_of(workshop, run)
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "waiting", "a person's retry has all the time again"
    workshop.clock.advance(minutes=9)
    await workshop.drive()
    assert await workshop.status(run) == "waiting"


async def test_nothing_is_tried_again_after_the_whole_time(workshop: Workshop) -> None:
    retry = Retry(max=10, delay="4m", factor=1.0, jitter=False)
    run = await workshop.start(
        chain(a=("t.call", {"retry": retry, "timeout": Timeout(total="10m")}))
    )
    workshop.world.refusals["a"] = [busy() for _ in range(10)]
    for _ in range(4):
        await workshop.drive()
        workshop.clock.advance(minutes=4)
    assert await workshop.status(run) == "halted"
    assert len(workshop.world.refusals["a"]) == 7, "at 0, 4 and 8 minutes; 12 is too late"


# Undoing


async def test_a_failed_call_is_undone_too_since_nobody_knows_how_far_it_came(
    workshop: Workshop,
) -> None:
    run = await workshop.start(chain(a="t.note", b="t.call"))
    workshop.world.refusals["b"] = [StepFailed("half-way")]
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert workshop.world.undone == [f"{run}:/:b"]
    assert await workshop.notes("unnoted") == ["/a"]


async def test_a_failed_step_in_our_database_left_nothing_to_undo(workshop: Workshop) -> None:
    run = await workshop.start(
        chain(a=("t.note", {"params": {"text": "=input.nothing"}})),
    )
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert await workshop.notes("unnoted") == []


async def test_an_undo_that_fails_is_told_once_and_tried_until_it_works(workshop: Workshop) -> None:
    steps = {"a": "t.call", "b": ("t.refuse", {"params": {"text": "no such plan"}})}
    edges = [("begin.out", "a.in"), ("a.out", "b.in")]
    run = await workshop.start(document(steps, edges, on_failure="compensate"))
    workshop.world.stubborn = 3
    for _ in range(3):
        await workshop.drive()
        assert await workshop.status(run) == "compensating"
        assert "undo of a" in await error_of(workshop, run)
        workshop.clock.advance(seconds=31)
    (told,) = await notices(workshop)
    assert "undo of a: peer: try again" in told
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert await error_of(workshop, run) == "no such plan", (
        "why it failed, not what went well since"
    )


async def test_an_undo_that_hangs_is_ended_and_tried_again(workshop: Workshop) -> None:
    run = await workshop.start(
        chain(
            a=("t.hang", {"timeout": Timeout(attempt="50ms"), "params": {"text": "undo"}}),
            p=("t.pause", {"params": {"seconds": 60}}),
        )
    )
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "compensating"
    assert "no answer within 50ms" in await error_of(workshop, run)
    workshop.world.gate.set()
    workshop.clock.advance(seconds=31)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"


# The timeline


async def test_the_timeline_follows_the_tenth_iteration(workshop: Workshop) -> None:
    steps = {
        "again": ("logic.repeat", {"params": {"until": "=iteration.count == 11", "max": 20}}),
        "n": ("t.note", {"within": "again"}),
        "a": ("t.call", {"within": "again"}),
        "aside": ("t.pause", {"within": "again"}),
        "end": "t.note",
    }
    edges = [
        ("begin.out", "again.in"), ("again.each", "n.in"), ("n.out", "a.in"),
        ("a.error", "aside.in"), ("again.done", "end.in"),
    ]  # fmt: skip
    run = await workshop.start(document(steps, edges))
    workshop.world.refusals["a"] = [busy() for _ in range(10)]
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    async with workshop.database.snapshot() as tx:
        timeline = await timeline_of(tx, run)
    assert {entry.node: entry.status for entry in timeline.entries} == dict.fromkeys(
        ["n", "a", "end"], StepStatus.done
    )


async def test_the_time_of_a_step_is_that_of_the_attempt_that_succeeded(
    workshop: Workshop,
) -> None:
    steps = {
        "again": ("logic.repeat", {"params": {"until": "=iteration.count == 2", "max": 5}}),
        "a": ("t.call", {"within": "again", "retry": Retry(max=2, delay="30s", jitter=False)}),
        "install": ("t.pause", {"within": "again", "params": {"seconds": 180}}),
    }
    edges = [("begin.out", "again.in"), ("again.each", "a.in"), ("a.out", "install.in")]
    run = await workshop.start(document(steps, edges))
    workshop.world.refusals["a"] = [busy()]
    workshop.world.before = lambda _: workshop.clock.advance(seconds=2)

    async def step() -> TimelineEntry:
        await workshop.drive()
        async with workshop.database.snapshot() as tx:
            (entry,) = (await timeline_of(tx, run)).entries
        return entry

    tried = await step()
    assert (tried.status, tried.tries) == (StepStatus.running, 1)
    workshop.clock.advance(seconds=30)
    second = await step()
    assert (second.status, second.tries) == (StepStatus.done, 2)
    assert second.elapsed(workshop.clock.now()) == timedelta(seconds=2)
    assert second.whole == timedelta(seconds=34), "both attempts, and the wait for the second one"
    workshop.clock.advance(seconds=180)
    third = await step()
    assert (third.status, third.tries) == (StepStatus.done, 3), "a second server, and its round"
    assert third.elapsed(workshop.clock.now()) == timedelta(seconds=2), "not since the first server"
    assert third.whole == timedelta(seconds=36), "what was done in between is not its own"


async def test_the_timeline_keeps_what_an_earlier_container_did(workshop: Workshop) -> None:
    steps = {
        "one": ("logic.repeat", {"params": {"until": "=true", "max": 1}}),
        "a": ("t.call", {"within": "one"}),
        "two": ("logic.repeat", {"params": {"until": "=iteration.count == 2", "max": 2}}),
        "three": ("logic.repeat", {"params": {"until": "=true", "max": 1}, "within": "two"}),
        "b": ("t.call", {"within": "three"}),
        "c": ("t.pause", {"within": "two", "params": {"seconds": 60}}),
    }
    edges = [
        ("begin.out", "one.in"), ("one.each", "a.in"), ("one.done", "two.in"),
        ("two.each", "c.in"), ("c.out", "three.in"), ("three.each", "b.in"),
    ]  # fmt: skip
    run = await workshop.start(document(steps, edges))

    async def seen() -> dict[str, StepStatus]:
        await workshop.drive()
        async with workshop.database.snapshot() as tx:
            return {entry.node: entry.status for entry in (await timeline_of(tx, run)).entries}

    assert await seen() == {"a": StepStatus.done, "b": StepStatus.pending}
    workshop.clock.advance(seconds=60)
    assert await seen() == {"a": StepStatus.done, "b": StepStatus.pending}, "begun again"
    workshop.clock.advance(seconds=60)
    assert await seen() == {"a": StepStatus.done, "b": StepStatus.done}
    assert await workshop.status(run) == "succeeded"
