"""A call that nobody knows the outcome of: done again, asked about, or left to a person."""

import pytest

from app.flows.document import Retry, Timeout
from app.flows.node import StepFailed
from app.flows.steer import cancel_run, settle
from app.flows.validate import InvalidFlow
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import calls, flow, output_of, places, row, undone
from tests.flows.nodes import Killed

QUICK = {"retry": Retry(max=3, delay="1m", factor=1.0, jitter=False)}


def kill(workshop: Workshop, *, when: str) -> None:
    """Kill the worker once, before or after the call of `a`."""

    def die(node: str) -> None:
        if node == "a":
            workshop.world.before = workshop.world.after = lambda _: None
            raise Killed

    setattr(workshop.world, when, die)


async def crashed(workshop: Workshop, kind: str, when: str):
    run = await workshop.start(flow({"a": (kind, {}, QUICK), "n": "t.note"}, "begin > a > n"))
    kill(workshop, when=when)
    assert await workshop.drive_and_die()
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    return run


@pytest.mark.parametrize(("when", "count"), [("before", 1), ("after", 2)])
async def test_with_a_key_it_is_sent_again_under_the_same_key(
    workshop: Workshop, when: str, count: int
) -> None:
    run = await crashed(workshop, "t.call", when)
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/:a": count}
    assert ("a", 1, "succeeded") in await workshop.attempts(run)


@pytest.mark.parametrize("when", ["before", "after"])
async def test_with_a_probe_the_target_is_asked_and_it_is_done_once(
    workshop: Workshop, when: str
) -> None:
    run = await crashed(workshop, "t.asked", when)
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/:a": 1}
    assert workshop.world.asked == [f"{run}:/:a"]
    found = (await output_of(workshop, run, "a"))["text"]
    assert found == ("found" if when == "after" else "")


async def test_a_target_that_does_not_say_is_asked_again_later(workshop: Workshop) -> None:
    workshop.world.mute = True
    run = await crashed(workshop, "t.asked", "after")
    assert await workshop.status(run) == "waiting"
    workshop.world.mute = False
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert len(workshop.world.asked) == 2
    assert calls(workshop) == {"/:a": 1}, "it was not done again meanwhile"


async def test_a_target_that_never_says_is_left_to_a_person(workshop: Workshop) -> None:
    workshop.world.mute = True
    run = await crashed(workshop, "t.asked", "after")
    for _ in range(3):
        workshop.clock.advance(minutes=1)
        await workshop.drive()
    assert await places(workshop, run) == {"/a": "halted"}
    async with workshop.database.transaction() as tx:
        await settle(tx, run, scope="/", node="a", happened=True)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/:a": 1}


async def test_a_flow_cannot_have_a_node_asked_that_cannot_answer(workshop: Workshop) -> None:
    document = flow({"a": ("t.call", {}, {"idempotency": "probe"})}, "begin > a")
    with pytest.raises(InvalidFlow, match="cannot ask its target"):
        await workshop.start(document)


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("happened", [True, False])
async def test_without_either_a_person_says_what_happened(
    workshop: Workshop, when: str, happened: bool
) -> None:
    run = await crashed(workshop, "t.once", when)
    assert await places(workshop, run) == {"/a": "halted"}
    assert "nobody knows" in (await row(workshop, run))["error"]
    before = calls(workshop).get("/:a", 0)
    async with workshop.database.transaction() as tx:
        await settle(tx, run, scope="/", node="a", happened=happened, output={"count": 7})
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop).get("/:a", 0) == before + (not happened)
    if happened:
        assert await output_of(workshop, run, "a") == {"count": 7}
    assert await workshop.notes() == ["/n:"]


async def test_an_answer_that_does_not_come_is_doubt_too(workshop: Workshop) -> None:
    """By key it is done again; a node that must not be done twice halts."""
    fields = {**QUICK, "timeout": Timeout(attempt="50ms")}
    run = await workshop.start(flow({"a": ("t.hang", {}, fields)}, "begin > a"))
    await workshop.drive()
    workshop.world.gate.set()
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/:a": 2}

    workshop.world.gate.clear()
    workshop.world.done.clear()
    once = {**fields, "idempotency": "none"}
    run = await workshop.start(flow({"a": ("t.hang", {}, once)}, "begin > a"), key="two")
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert calls(workshop) == {"/:a": 1}
    assert ("a", 1, "ambiguous") in await workshop.attempts(run)


async def test_a_failure_that_may_have_had_its_effect_is_doubt(workshop: Workshop) -> None:
    steps = {"a": ("t.once", {}, QUICK), "e": "t.note"}
    run = await workshop.start(flow(steps, "begin > a", "a.error > e"))
    workshop.world.refusals["a"] = [StepFailed("lost", transient=True, unknown=True)]
    await workshop.drive()
    assert await places(workshop, run) == {"/a": "halted"}, "neither a retry nor the error branch"
    assert "lost" in (await row(workshop, run))["error"]


async def test_a_clear_no_is_none(workshop: Workshop) -> None:
    steps = {"a": ("t.once", {}, QUICK), "n": "t.note"}
    run = await workshop.start(flow(steps, "begin > a > n"))
    workshop.world.refusals["a"] = [StepFailed("busy", transient=True)]
    await workshop.drive()
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/:a": 1}


async def test_a_step_in_doubt_is_undone_when_the_run_is_cancelled(workshop: Workshop) -> None:
    run = await crashed(workshop, "t.once", "after")
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"
    assert undone(workshop) == ["/:a"]


async def test_a_node_that_breaks_down_is_doubt_too(workshop: Workshop) -> None:
    steps = {"a": ("t.once", {}, {**QUICK, "retry": Retry()})}
    run = await workshop.start(flow(steps, "begin > a"))
    workshop.world.refusals["a"] = [ZeroDivisionError("a bug")]
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert "ZeroDivisionError: a bug; nobody knows" in (await row(workshop, run))["error"]
