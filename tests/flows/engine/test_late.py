"""What comes too late: an outcome, a word from outside or a step's turn, when the run has moved on."""

import asyncio
import contextlib
import dataclasses
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from app.components.admin.attempts import attempt_item
from app.flows import compensate, registry
from app.flows.course import Course
from app.flows.find import find_run
from app.flows.node import Done, Effect, NodeType, Step, StepFailed, Wait
from app.flows.steer import cancel_run, retry_halted
from tests.flows.conftest import LEASE_S, Workshop, chain
from tests.flows.engine.bench import calls, flow, output_of, places, signal, story, undone
from tests.flows.engine.test_branches import until
from tests.flows.nodes import Text

PAUSE = ("t.pause", {"seconds": 600, "signal": "word"})


async def late(step: Step, params: Text) -> Done | Wait:
    """Come to an end of this kind, once the gate is open."""
    step.tools.call(step.node, step.key)
    await step.tools.gate.wait()
    if params.text == "waits":
        return Wait(until=step.now + timedelta(days=1))
    if params.text == "fails":
        raise StepFailed("no")
    raise RuntimeError("it broke down")


@contextlib.asynccontextmanager
async def driven(workshop: Workshop) -> AsyncIterator[Course]:
    """Drive the run that is due, for as long as it takes; the gate is opened at the end."""
    course = await workshop.claim()
    driving = asyncio.create_task(workshop.drive_one(course))
    try:
        yield course
    finally:
        workshop.world.gate.set()
        await driving


async def stands(
    workshop: Workshop, course: Course, node: str, state: str, scope: str = ""
) -> None:
    async def so() -> bool:
        return (await places(workshop, course.id)).get(f"{scope}/{node}") == state

    await until(so)


@pytest.mark.parametrize(
    ("ends", "idempotency", "kept"),
    [("waits", "key", "waiting"), ("fails", "key", "failed"), ("breaks", "none", "ambiguous")],
)
async def test_the_outcome_of_a_step_that_was_given_up_moves_nothing(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, ends: str, idempotency: str, kept: str
) -> None:
    installed = registry.node_types()
    kind = NodeType("t.late", "Late", "", Text, Effect.OUTSIDE, late)
    monkeypatch.setattr(registry, "node_types", lambda: {**installed, ("t.late", 1): kind})
    within = {"within": "each"}
    steps = {
        "each": ("logic.each", {"items": ["x"], "on_error": "continue"}),
        "slow": ("t.late", {"text": ends}, {**within, "idempotency": idempotency}),
        "p": (*PAUSE, within),
        "asleep": ("t.pause", {"seconds": 600}, within),
        "bad": ("t.refuse", {}, within),
        "end": "t.note",
    }
    run = await workshop.start(flow(steps, "begin > each.each > slow", "each.each > p > bad", "each.each > asleep",
                                    "each.done > end"))  # fmt: skip

    async def given_up() -> bool:
        return ("bad", 1, "failed") in await workshop.attempts(run)

    async with driven(workshop) as course:
        await stands(workshop, course, "p", "waiting", "/each:1")
        await until(lambda: _is_called(workshop))
        await signal(workshop, "word")
        course.woken.set()
        await until(given_up)
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["failed"] == 1
    assert ("slow", 1, kept) in await workshop.attempts(run)
    assert (await story(workshop, run)).count("started /each:1/slow") == 1


async def test_a_step_does_not_begin_once_another_has_ended_the_run(workshop: Workshop) -> None:
    """It is its turn in the same round, after the stop or before it."""
    steps = {"before": "t.call", "stop": "logic.stop", "after": "t.call"}
    run = await workshop.start(flow(steps, "begin > before", "begin > stop", "begin > after"))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert workshop.world.done == {}


async def test_a_cancellation_is_heard_by_a_run_that_is_about_to_sleep(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.call", p=("t.pause", {"params": {"seconds": 600}})))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await tx.execute("UPDATE run SET wake_at = $1", tx.now())
    course = await workshop.claim()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive_one(course)
    assert await workshop.status(run) == "cancelled"
    assert undone(workshop) == ["/:a"]


async def test_words_and_rings_reach_a_run_that_is_busy_elsewhere(workshop: Workshop) -> None:
    steps = {"busy": "t.hang", "p": PAUSE, "end": "t.note"}
    run = await workshop.start(flow(steps, "begin > busy", "begin > p > end"))
    async with driven(workshop) as course:
        await stands(workshop, course, "p", "waiting")
        course.woken.set()  # nobody has said anything
        await until(lambda: _is_heard(course))
        await signal(workshop, "word")
        course.woken.set()
        await until(lambda: _has_noted(workshop))
    assert await workshop.status(run) == "succeeded"


async def test_a_cancellation_reaches_a_run_that_is_busy(workshop: Workshop) -> None:
    steps = {"busy": "t.hang", "p": PAUSE}
    run = await workshop.start(flow(steps, "begin > busy", "begin > p"))
    async with driven(workshop) as course:
        await stands(workshop, course, "p", "waiting")
        async with workshop.database.transaction() as tx:
            await cancel_run(tx, run)
        course.woken.set()
        await until(lambda: _is_heard(course))
    assert await workshop.status(run) == "cancelled"


async def test_a_retry_waits_until_what_is_under_way_is_done(workshop: Workshop) -> None:
    steps = {"busy": "t.hang", "bad": "t.make"}
    workshop.world.refusals["bad"] = [StepFailed("no")]
    run = await workshop.start(flow(steps, "begin > busy", "begin > bad"))
    async with driven(workshop) as course:
        await stands(workshop, course, "bad", "halted")
        async with workshop.database.transaction() as tx:
            await retry_halted(tx, run)
        course.woken.set()
        await until(lambda: _is_heard(course))
    assert await workshop.status(run) == "succeeded"
    assert [row for row in await workshop.attempts(run) if row[0] == "bad"] == [
        ("bad", 1, "failed"),
        ("bad", 2, "succeeded"),
    ]


async def test_an_item_fails_while_its_loop_stands_at_its_own_condition(
    workshop: Workshop,
) -> None:
    """Nothing more of the list is begun until a person has mended the loop."""
    within = {"within": "each"}
    steps: dict[str, Any] = {
        "each": (
            "logic.each",
            {
                "items": ["x", "y", "z"], "concurrency": 2, "on_error": "continue",
                "collect": "=int(item)",
            },
        ),
        "which": ("logic.if", {"condition": '=item == "y"'}, within),
        "slow": ("t.hang", {}, within),
        "bad": ("t.refuse", {}, within),
        "quick": ("t.note", {}, within),
    }  # fmt: skip
    run = await workshop.start(
        flow(steps, "begin > each.each > which.true > slow > bad", "which.false > quick")
    )
    async with driven(workshop) as course:
        await stands(workshop, course, "each", "halted")
    assert await workshop.status(run) == "halted"
    async with workshop.database.snapshot() as tx:
        begun = await tx.fetchval("SELECT count(*) FROM step_attempt WHERE scope = '/each:3'")
    assert begun == 0


async def _is_heard(course: Course) -> bool:
    return not course.woken.is_set()


async def _has_noted(workshop: Workshop) -> bool:
    return bool(await workshop.notes())


async def _is_called(workshop: Workshop) -> bool:
    return bool(workshop.world.done)


@pytest.mark.parametrize("loop", ["logic.each", "logic.repeat"])
async def test_a_step_of_a_loop_that_is_long_over_is_undone_with_what_it_saw(
    workshop: Workshop, loop: str
) -> None:
    """Whoever undoes it was not there: the list and the outputs are read from the journal."""
    within = {"within": "loop"}
    about = {"items": ["x"]} if loop == "logic.each" else {"until": "=true", "max": 1}
    seen = "=steps.a.text + item" if loop == "logic.each" else "=steps.a.text"
    steps = {
        "loop": (loop, about),
        "a": ("t.call", {"text": "y"}, {**within, "compensate": "back"}),
        "back": ("t.note", {"text": seen}, within),
        "p": PAUSE,
    }
    run = await workshop.start(flow(steps, "begin > loop.each > a", "loop.done > p"))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert await workshop.notes() == [f"/loop:1back:{'yx' if loop == 'logic.each' else 'y'}"]


async def test_an_undo_is_let_be_by_who_has_lost_the_run(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another worker takes it over while the peer is being asked to undo."""
    undoings = []

    async def unmake(step: Step, _: Any) -> None:
        undoings.append(step.key)
        if len(undoings) == 1:
            async with step.database.transaction() as tx:
                await tx.execute("UPDATE run SET epoch = epoch + 1 WHERE id = $1", step.run)

    installed = registry.node_types()
    kind = dataclasses.replace(installed["t.call", 1], undo=unmake)
    monkeypatch.setattr(registry, "node_types", lambda: {**installed, ("t.call", 1): kind})
    run = await workshop.start(flow({"a": "t.call", "p": PAUSE}, "begin > a > p"))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "compensating", "it is the other's now"
    assert ("a", 1, "succeeded") in await workshop.attempts(run)
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert undoings == [f"{run}:/:a"] * 2


async def test_what_has_no_undo_is_passed_over_page_by_page(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compensate, "PAGE", 1)
    steps = {"a": "t.call", "b": "t.deliver", "c": "t.deliver", "p": PAUSE}
    run = await workshop.start(flow(steps, "begin > a > b > c > p"))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert undone(workshop) == ["/:a"]


async def test_a_database_that_stays_away_is_no_failure_of_the_node(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step is done again under its key once the database is back."""
    run = await workshop.start(flow({"a": "t.call", "end": "t.note"}, "begin > a > end"))
    gone = asyncpg.ConnectionDoesNotExistError("the connection was closed")
    snapshot, troubles = workshop.database.snapshot, [gone]

    def away() -> Any:
        if troubles and workshop.world.done:
            raise troubles.pop()
        return snapshot()

    def lose(_: str) -> None:
        if troubles:
            raise OSError("connection reset")

    monkeypatch.setattr(workshop.database, "snapshot", away)
    workshop.world.after = lose
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/:a": 2}


async def test_an_attempt_that_was_under_way_when_its_run_was_cancelled_is_shown_as_cancelled(
    workshop: Workshop,
) -> None:
    run = await workshop.start(flow({"p": PAUSE, "end": "t.note"}, "begin > p > end"))
    await workshop.drive()
    async with workshop.database.snapshot() as tx:
        before = (await find_run(tx, run)).attempts
    assert [one.status for one in before] == ["succeeded", "waiting"]
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    async with workshop.database.snapshot() as tx:
        after = (await find_run(tx, run)).attempts
    assert [one.status for one in after] == ["succeeded", "cancelled"]
    shown = str(attempt_item(after[-1], workshop.clock.now(), run=run))
    assert "Cancelled" in shown
    assert "Waiting" not in shown
    assert "Looked at again" not in shown
