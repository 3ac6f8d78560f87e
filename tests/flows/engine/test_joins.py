"""Forks and joins: who is waited for, who is not, and how often the way goes on."""

import pytest

from app.flows.node import StepFailed
from app.flows.steer import retry_halted
from tests.flows.conftest import Workshop
from tests.flows.engine.bench import calls, flow, output_of, places, row, story
from tests.flows.nodes import Killed

MINUTE = ("logic.wait", {"for": "1m"})
ANY = ("logic.join", {"mode": "any"})


async def test_a_join_waits_for_all_and_goes_on_once(workshop: Workshop) -> None:
    steps = {"a": "t.call", "b": MINUTE, "c": "t.note", "j": "logic.join", "end": "t.note"}
    run = await workshop.start(flow(steps, "begin > a > j > end", "begin > b > j", "begin > c > j"))
    await workshop.drive()
    assert await places(workshop, run) == {"/b": "waiting", "/j": "waiting"}
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await output_of(workshop, run, "j") == {"arrived": ["a", "b", "c"]}
    assert (await workshop.notes()).count("/end:") == 1
    assert (await story(workshop, run)).count("started /j") == 1


async def test_the_first_is_enough_and_later_ones_are_taken_in(workshop: Workshop) -> None:
    steps = {"a": MINUTE, "b": "t.call", "j": ANY, "end": "t.note"}
    run = await workshop.start(flow(steps, "begin > a > j > end", "begin > b > j"))
    await workshop.drive()
    assert await workshop.notes() == ["/end:"]
    assert await places(workshop, run) == {"/a": "waiting"}
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/end:"], "not once more"


async def test_branches_that_turn_off_or_end_are_not_waited_for(workshop: Workshop) -> None:
    steps = {
        "a": "t.call",
        "i": ("logic.if", {"condition": "=false"}),
        "dead": "t.note",
        "f": "t.refuse",
        "aside": "t.note",
        "j": "logic.join",
        "end": "t.note",
    }
    run = await workshop.start(
        flow(steps, "begin > a > j > end", "begin > i.true > j", "i.false > dead",
             "begin > f > j", "f.error > aside")
    )  # fmt: skip
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await output_of(workshop, run, "j") == {"arrived": ["a"]}


async def test_a_halted_branch_is_waited_for_while_the_other_goes_on(workshop: Workshop) -> None:
    steps = {"a": "t.call", "b": MINUTE, "n": "t.note", "j": "logic.join", "end": "t.note"}
    run = await workshop.start(flow(steps, "begin > a > j > end", "begin > b > n > j"))
    workshop.world.refusals["a"] = [StepFailed("no such plan")]
    await workshop.drive()
    assert await places(workshop, run) == {"/a": "halted", "/b": "waiting"}
    assert await workshop.status(run) == "waiting"
    assert (await row(workshop, run))["error"] == "no such plan", "it says so at once"
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert await places(workshop, run) == {"/a": "halted", "/j": "waiting"}
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await output_of(workshop, run, "j") == {"arrived": ["a", "n"]}
    assert await workshop.notes() == ["/end:", "/n:"]


async def test_a_join_inside_an_item_is_that_items_own(workshop: Workshop) -> None:
    steps = {
        "each": ("logic.each", {"items": [1, 2], "concurrency": 2, "collect": "=steps.j.arrived"}),
        "a": ("t.value", {}, {"within": "each"}),
        "b": ("t.call", {}, {"within": "each"}),
        "c": (*MINUTE, {"within": "each"}),
        "j": ("logic.join", {}, {"within": "each"}),
        "n": ("t.note", {}, {"within": "each"}),
    }
    run = await workshop.start(flow(steps, "begin > each.each > a > b > j > n", "a > c > j"))
    for _ in range(2):
        await workshop.drive()
        workshop.clock.advance(minutes=1)
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["items"] == [["b", "c"], ["b", "c"]]
    assert await workshop.notes() == ["/each:1n:", "/each:2n:"]


@pytest.mark.parametrize("mode", ["all", "any"])
@pytest.mark.parametrize("at", range(1, 8))
async def test_a_crash_at_any_call_before_a_join_lets_it_go_on_once(
    workshop: Workshop, mode: str, at: int
) -> None:
    steps = {
        "a": "t.call", "b": "t.call", "c": MINUTE, "d": "t.call",
        "j": ("logic.join", {"mode": mode}), "end": "t.note", "last": "t.call",
    }  # fmt: skip
    run = await workshop.start(
        flow(steps, "begin > a > j > end > last", "begin > b > j", "begin > c > d > j")
    )
    chances = 0

    def die(_: str) -> None:
        nonlocal chances
        chances += 1
        if chances == at:
            raise Killed

    workshop.world.before = workshop.world.after = die
    for _ in range(6):
        await workshop.drive_and_die()
        workshop.clock.advance(minutes=1)
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/end:"]
    assert set(calls(workshop)) == {"/:a", "/:b", "/:d", "/:last"}
