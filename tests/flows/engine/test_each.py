"""logic.each: every item once, several at once, whatever stops the run in the middle."""

import asyncio
from typing import Any

import pytest

from app.flows.document import Retry, Timeout
from app.flows.node import StepFailed
from app.flows.steer import resume, retry_halted
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import (
    calls,
    flow,
    output_of,
    places,
    row,
    undone,
)
from tests.flows.nodes import Killed, busy

IN = {"within": "each"}


def over(items: Any, body: dict[str, Any], *paths: str, after: str = "t.note", **settings: Any):
    more = settings.pop("more", {})
    fields = settings.pop("fields", {})
    rest = settings.pop("rest", {})
    steps = {"each": ("logic.each", {"items": items, **more}, fields), **body, "end": after, **rest}
    return flow(steps, "begin > each.each > a", "each.done > end", *paths, **settings)


CALL = {"a": ("t.call", {"text": "=item"}, IN)}


async def test_every_item_is_done_and_collected_in_the_order_of_the_list(
    workshop: Workshop,
) -> None:
    more = {"collect": "=steps.a.text + string(index)", "concurrency": 2}
    run = await workshop.start(over(["x", "y", "z"], CALL, more=more))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await output_of(workshop, run, "each") == {
        "count": 3, "failed": 0, "items": ["x0", "y1", "z2"], "errors": [],
    }  # fmt: skip
    assert calls(workshop) == {"/each:1:a": 1, "/each:2:a": 1, "/each:3:a": 1}


async def test_an_empty_list_leads_on_at_once(workshop: Workshop) -> None:
    run = await workshop.start(over([], CALL))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["items"] == []
    assert await workshop.notes() == ["/end:"]


async def test_as_many_at_once_as_asked_and_no_more(workshop: Workshop) -> None:
    body = {"a": ("t.hang", {}, IN)}
    run = await workshop.start(over([1, 2, 3, 4, 5], body, more={"concurrency": 2}))
    driving = asyncio.create_task(workshop.drive())
    async with asyncio.timeout(30):
        while len(workshop.world.done) < 2:  # noqa: ASYNC110 - the world tells nobody
            await asyncio.sleep(0.005)
    assert set(await places(workshop, run)) == {"/each", "/each:1/a", "/each:2/a"}
    workshop.world.gate.set()
    await driving
    assert await workshop.status(run) == "succeeded"
    assert len(calls(workshop)) == 5


async def test_how_many_at_once_can_be_changed_by_who_resumes(workshop: Workshop) -> None:
    body = {"a": ("t.call", {"text": "=item"}, IN), "p": ("logic.wait", {"for": "1m"}, IN)}
    items = ["x", "y", "z", "w"]
    run = await workshop.start(over(items, body, "a > p", more={"collect": "=steps.a.nothing"}))
    await workshop.drive()
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await places(workshop, run) == {"/each": "halted"}
    edits = {("/", "each"): {"items": items, "concurrency": "=1 + 1"}}
    async with workshop.database.transaction() as tx:
        await resume(tx, run, edits=edits)
    await workshop.drive()
    assert set(await places(workshop, run)) == {"/each", "/each:2/p", "/each:3/p"}


async def test_a_failure_is_noted_and_the_others_are_done(workshop: Workshop) -> None:
    more = {"on_error": "continue", "collect": "=steps.a.text"}
    run = await workshop.start(over(["x", "y", "z"], CALL, more=more))
    workshop.world.refusals["a"] = [StepFailed("no such host")]
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await output_of(workshop, run, "each") == {
        "count": 3,
        "failed": 1,
        "items": [None, "y", "z"],
        "errors": [{"index": 0, "error": "a: no such host"}],
    }


async def test_a_loop_that_collects_nothing_gives_no_items(workshop: Workshop) -> None:
    run = await workshop.start(over(["x", "y"], CALL, more={"on_error": "continue"}))
    workshop.world.refusals["a"] = [StepFailed("no such host")]
    await workshop.drive()
    found = await output_of(workshop, run, "each")
    assert (found["items"], found["failed"]) == ([], 1)


async def test_a_failure_halts_and_a_retry_does_no_other_item_again(workshop: Workshop) -> None:
    run = await workshop.start(over(["x", "y", "z"], CALL))
    workshop.world.refusals["a"] = []
    first = workshop.world.before

    def refuse_the_second(node: str) -> None:
        if len(workshop.world.done) == 1:
            workshop.world.before = first
            raise StepFailed("disk full")

    workshop.world.before = refuse_the_second
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert await places(workshop, run) == {"/each": "inside", "/each:2/a": "halted"}
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert set(calls(workshop).values()) == {1}


@pytest.mark.parametrize("at", range(1, 9))
async def test_a_crash_in_the_middle_does_no_finished_item_again(
    workshop: Workshop, at: int
) -> None:
    body = {"a": ("t.note", {"text": "=item"}, IN), "b": ("t.call", {"text": "=item"}, IN)}
    more = {"collect": "=steps.b.text", "concurrency": 2}
    run = await workshop.start(over(["x", "y", "z", "w"], body, "a > b", more=more))
    chances = 0

    def die(_: str) -> None:
        nonlocal chances
        chances += 1
        if chances == at:
            raise Killed

    workshop.world.before = workshop.world.after = die
    assert await workshop.drive_and_die()
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["items"] == ["x", "y", "z", "w"]
    assert await workshop.notes() == [
        "/each:1a:x", "/each:2a:y", "/each:3a:z", "/each:4a:w", "/end:",
    ]  # fmt: skip
    assert len(calls(workshop)) == 4
    assert sum(calls(workshop).values()) <= 6, "those under way only"


async def test_a_loop_in_a_loop_sees_its_own_item(workshop: Workshop) -> None:
    steps = {
        "each": ("logic.each", {"items": [["a", "b"], [], ["c"]], "collect": "=steps.sub.items"}),
        "sub": ("logic.each", {"items": "=item", "collect": "=steps.v.value"}, IN),
        "v": ("t.value", {"value": "=item + string(index)"}, {"within": "sub"}),
    }
    run = await workshop.start(flow(steps, "begin > each.each > sub.each > v"))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["items"] == [["a0", "b1"], [], ["c0"]]


WRONG = {"collect": "=steps.a.nothing"}


async def fixed(workshop: Workshop, run: Any, collect: str, items: list[str]) -> None:
    edits = {("/", "each"): {"items": items, "collect": collect}}
    async with workshop.database.transaction() as tx:
        await resume(tx, run, edits=edits)


async def test_a_wrong_collect_halts_and_looks_again_with_what_a_person_wrote(
    workshop: Workshop,
) -> None:
    run = await workshop.start(over(["x", "y"], CALL, more=WRONG))
    await workshop.drive()
    assert await places(workshop, run) == {"/each": "halted"}
    await fixed(workshop, run, "=steps.a.text", ["x", "y"])
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["items"] == ["x", "y"]
    assert calls(workshop) == {"/each:1:a": 1, "/each:2:a": 1}


async def test_items_that_end_while_the_loop_is_halted_are_kept(workshop: Workshop) -> None:
    """All items are under way at once; the first ends, its collect is wrong: the others go on."""
    body = {"a": ("t.call", {"text": "=item"}, IN), "p": ("logic.wait", {"for": "1m"}, IN)}
    more = {**WRONG, "concurrency": 3}
    items = ["x", "y", "z"]
    run = await workshop.start(over(items, body, "a > p", more=more))
    for _ in range(2):
        await workshop.drive()
        workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await places(workshop, run) == {"/each": "halted"}
    assert await workshop.status(run) == "halted"
    await fixed(workshop, run, "=steps.a.text", items)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["items"] == items
    assert set(calls(workshop).values()) == {1}


async def test_a_collect_sees_what_was_done_before_the_loop_after_a_restart(
    workshop: Workshop,
) -> None:
    steps = {
        "first": ("t.value", {"value": "v"}),
        "each": ("logic.each", {"items": [1], "collect": "=steps.first.value + steps.a.nothing"}),
        "a": ("t.call", {}, IN),
    }
    run = await workshop.start(flow(steps, "begin > first > each.each > a"))
    await workshop.drive()
    assert await places(workshop, run) == {"/each": "halted"}
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await workshop.drive()
    assert "nothing" in (await row(workshop, run))["error"]
    async with workshop.database.transaction() as tx:
        edits = {("/", "each"): {"items": [1], "collect": "=steps.first.value"}}
        await resume(tx, run, edits=edits)
    await workshop.drive()
    assert (await output_of(workshop, run, "each"))["items"] == ["v"]


async def test_a_loop_that_leaves_by_its_error_branch_leaves_nothing_behind(
    workshop: Workshop,
) -> None:
    """One item's collect is wrong while another waits: the loop has failed, and is left."""
    body = {
        "a": ("logic.if", {"condition": "=index == 0"}, IN),
        "n": ("t.note", {}, IN),
        "p": ("logic.wait", {"for": "1h"}, IN),
    }
    more = {"collect": "=steps.n.nothing", "concurrency": 2}
    run = await workshop.start(
        over([1, 2], body, "a.true > n", "a.false > p", "each.error > bad",
             more=more, rest={"bad": ("t.note", {"text": "=error.message"})})
    )  # fmt: skip
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    (bad,) = [note for note in await workshop.notes() if note.startswith("/bad")]
    assert "nothing" in bad
    assert await places(workshop, run) == {}


async def test_an_item_given_up_is_counted_once_though_a_step_of_it_was_under_way(
    workshop: Workshop,
) -> None:
    """Of two branches of an item one gets no answer while the other is being done outside."""
    body = {
        "a": ("t.value", {}, IN),
        "h": ("t.hang", {}, IN),
        "f": ("t.hang", {}, {**IN, "timeout": Timeout(attempt="50ms")}),
        "after": ("t.note", {}, IN),
    }
    more = {"on_error": "continue"}
    run = await workshop.start(over([1, 2], body, "a > h > after", "a > f", more=more))

    asked: list[str] = []

    def open_for_the_second(node: str) -> None:
        asked.append(node)
        if asked.count("f") == 2:
            workshop.world.gate.set()

    workshop.world.after = open_for_the_second
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    found = await output_of(workshop, run, "each")
    assert (found["count"], found["failed"]) == (2, 1)
    assert await workshop.notes() == ["/each:2after:", "/end:"], "nothing follows in the first"
    assert await output_of(workshop, run, "h", "/each:1") == {}, "what was done is written down"


async def test_all_items_are_undone_newest_first(workshop: Workshop) -> None:
    run = await workshop.start(
        over(["x", "y"], CALL, after=("t.refuse", {}), on_failure="compensate")
    )
    await workshop.drive()
    assert await workshop.status(run) == "failed"
    assert undone(workshop) == ["/each:2:a", "/each:1:a"]


async def test_a_step_is_tried_again_inside_an_item(workshop: Workshop) -> None:
    body = {"a": ("t.call", {}, {**IN, "retry": Retry(max=2, delay="1m", jitter=False)})}
    run = await workshop.start(over([1, 2], body, more={"concurrency": 2}))
    workshop.world.refusals["a"] = [busy()]
    await workshop.drive()
    assert len(calls(workshop)) == 1
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/each:1:a": 1, "/each:2:a": 1}
