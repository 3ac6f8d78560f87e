"""Approvals and events: in a branch, in a loop, early, late, and while other steps are done."""

import asyncio
from typing import Any
from uuid import UUID

from app.flows.steer import decide
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import calls, flow, output_of, places, signal

ASK = ("logic.approval", {"title": "Deliver?"})
EVENT = ("logic.wait_event", {"event": "dns", "correlation": "example.org", "timeout": "7d"})
KEY = "event:dns:example.org"


async def say(workshop: Workshop, run: UUID, decision: str = "approved", **more: Any) -> None:
    place = {"scope": "/", "node": "ask", **more}
    async with workshop.database.transaction() as tx:
        await decide(tx, run, decision=decision, **place)


async def test_an_approval_in_a_branch_is_waited_for(workshop: Workshop) -> None:
    """windmill#2639: an approval inside a branch was skipped."""
    steps = {"ask": ASK, "yes": "t.note", "no": "t.note", "b": "t.call", "j": "logic.join",
             "end": "t.note"}  # fmt: skip
    run = await workshop.start(
        flow(steps, "begin > ask.approved > yes > j > end", "ask.rejected > no > j",
             "begin > b > j")
    )  # fmt: skip
    await workshop.drive()
    assert await places(workshop, run) == {"/ask": "waiting", "/j": "waiting"}
    assert await workshop.status(run) == "waiting"
    assert await workshop.notes() == []
    workshop.clock.advance(days=100)
    await workshop.drive()
    assert await workshop.notes() == [], "however long it takes"
    await say(workshop, run, note="checked by phone")
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/end:", "/yes:"]
    assert (await output_of(workshop, run, "ask"))["note"] == "checked by phone"


async def test_each_item_has_its_own_approval(workshop: Workshop) -> None:
    steps = {
        "each": ("logic.each", {"items": ["x", "y"], "concurrency": 2,
                                "collect": "=steps.ask.decision"}),
        "ask": ("logic.approval", {"title": "Delete ${item}?"}, {"within": "each"}),
        "do": ("t.call", {"text": "=item"}, {"within": "each"}),
    }  # fmt: skip
    run = await workshop.start(flow(steps, "begin > each.each > ask.approved > do"))
    await workshop.drive()
    await say(workshop, run, "rejected", scope="/each:1")
    await say(workshop, run, scope="/each:2")
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/each:2:do": 1}
    assert (await output_of(workshop, run, "each"))["items"] == ["rejected", "approved"]


async def test_an_event_brings_its_payload(workshop: Workshop) -> None:
    steps = {"w": EVENT, "n": ("t.note", {"text": "=steps.w.zone"}), "late": "t.note"}
    run = await workshop.start(flow(steps, "begin > w > n", "w.timeout > late"))
    await workshop.drive()
    await signal(workshop, "event:dns:example.net", {"zone": "another"})
    await workshop.drive()
    assert await workshop.status(run) == "waiting"
    await signal(workshop, KEY, {"zone": "here"})
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/n:here"]


async def test_an_event_that_never_comes_leaves_by_its_time_out(workshop: Workshop) -> None:
    await workshop.start(
        flow({"w": EVENT, "n": "t.note", "late": "t.note"}, "begin > w > n", "w.timeout > late")
    )
    await workshop.drive()
    workshop.clock.advance(days=7)
    await workshop.drive()
    assert await workshop.notes() == ["/late:"]


async def test_an_event_that_came_before_anybody_waited_is_not_lost(workshop: Workshop) -> None:
    steps = {"p": ("logic.wait", {"for": "1h"}), "w": EVENT, "n": "t.note"}
    run = await workshop.start(flow(steps, "begin > p > w > n"))
    await workshop.drive()
    await signal(workshop, KEY, {"zone": "early"})
    workshop.clock.advance(hours=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await output_of(workshop, run, "w") == {"zone": "early"}


async def test_an_event_goes_on_in_one_branch_while_a_step_of_another_is_being_done(
    workshop: Workshop,
) -> None:
    steps = {"w": EVENT, "n": "t.note", "h": "t.hang"}
    run = await workshop.start(flow(steps, "begin > w > n", "begin > h"))
    runner = workshop.runner()
    running = asyncio.create_task(runner.run())
    async with asyncio.timeout(30):
        while not workshop.world.done:  # noqa: ASYNC110 - the world tells nobody
            await asyncio.sleep(0.005)
        await signal(workshop, KEY, {"zone": "now"})
        while not await workshop.notes():
            await workshop.live.publish({"doorbell:flows"})
            await asyncio.sleep(0.01)
        assert await places(workshop, run) == {"/h": "started"}
        workshop.world.gate.set()
        while await workshop.status(run) != "succeeded":  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert await workshop.notes() == ["/n:"]


async def test_an_event_taken_by_a_worker_that_died_comes_once(workshop: Workshop) -> None:
    await workshop.start(
        flow({"w": EVENT, "a": "t.call", "n": ("t.note", {"text": "=steps.w.zone"})},
             "begin > w > a > n")
    )  # fmt: skip
    await workshop.drive()
    await signal(workshop, KEY, {"zone": "here"})
    await signal(workshop, KEY, {"zone": "there"})

    def die(_: str) -> None:
        from tests.flows.nodes import Killed

        workshop.world.after = lambda _: None
        raise Killed

    workshop.world.after = die
    assert await workshop.drive_and_die()
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert await workshop.notes() == ["/n:here"], "the first word counts"
