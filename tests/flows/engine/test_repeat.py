"""logic.repeat: rounds with a pause between, whatever stops the run meanwhile."""

import pytest

from app.flows.steer import resume
from app.flows.validate import InvalidFlow
from tests.flows.conftest import Workshop
from tests.flows.engine.bench import calls, flow, output_of, places, row, start_named

IN = {"within": "r"}


async def test_rounds_with_a_pause_cost_nothing_between(workshop: Workshop) -> None:
    again = {"until": "=iteration.count == 3", "max": 5, "every": "30s"}
    steps = {"r": ("logic.repeat", again), "a": ("t.call", {}, IN), "end": "t.note"}
    run = await workshop.start(flow(steps, "begin > r.each > a", "r.done > end"))
    for count in (1, 2):
        await workshop.drive()
        assert len(calls(workshop)) == count
        assert await places(workshop, run) == {"/r": "waiting"}
        assert (await row(workshop, run))["lease_until"] is None
        workshop.clock.advance(seconds=29)
        await workshop.drive()
        assert len(calls(workshop)) == count
        workshop.clock.advance(seconds=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "r"))["count"] == 3
    assert await workshop.notes() == ["/end:"]


async def test_a_condition_sees_what_was_done_before_the_loop_after_each_pause(
    workshop: Workshop,
) -> None:
    again = {"until": "=steps.a.count >= steps.want.value", "max": 5, "every": "30s"}
    steps = {
        "want": ("t.value", {"value": 3}),
        "r": ("logic.repeat", again),
        "a": ("t.call", {}, IN),
    }
    run = await workshop.start(flow(steps, "begin > want > r.each > a"))
    for _ in range(3):
        await workshop.drive()
        workshop.clock.advance(seconds=30)
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "r"))["last"] == {"a": {"count": 3, "text": ""}}


async def test_after_the_last_round_it_leaves_by_exhausted(workshop: Workshop) -> None:
    steps = {
        "r": ("logic.repeat", {"until": "=false", "max": 3}),
        "a": ("t.call", {}, IN),
        "done": "t.note",
        "tired": "t.note",
    }
    run = await workshop.start(
        flow(steps, "begin > r.each > a", "r.done > done", "r.exhausted > tired")
    )
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/tired:"]
    assert len(calls(workshop)) == 3


async def test_a_wrong_condition_is_mended_by_who_resumes(workshop: Workshop) -> None:
    steps = {
        "r": ("logic.repeat", {"until": "=steps.a.nothing", "max": 3}),
        "a": ("t.call", {}, IN),
    }
    run = await start_named(workshop, flow(steps, "begin > r.each > a"), {"enough": 2})
    await workshop.drive()
    assert await places(workshop, run) == {"/r": "halted"}
    edits = {("/", "r"): {"until": "=steps.a.count == input.enough", "max": 3}}
    async with workshop.database.transaction() as tx:
        await resume(tx, run, edits=edits)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == {"/r:1:a": 1, "/r:2:a": 1}


async def test_an_unknown_pause_is_refused(workshop: Workshop) -> None:
    again = {"until": "=false", "max": 2, "every": "a while"}
    steps = {"r": ("logic.repeat", again), "a": ("t.call", {}, IN)}
    with pytest.raises(InvalidFlow, match=r"r\.with\.every"):
        await workshop.start(flow(steps, "begin > r.each > a"))


async def test_a_loop_over_a_list_inside_a_round_begins_anew_each_round(
    workshop: Workshop,
) -> None:
    steps = {
        "r": ("logic.repeat", {"until": "=iteration.count == 2", "max": 3, "every": "1m"}),
        "l": ("logic.each", {"items": ["x", "y"], "collect": "=item"}, IN),
        "a": ("t.call", {}, {"within": "l"}),
    }
    run = await workshop.start(flow(steps, "begin > r.each > l.each > a"))
    await workshop.drive()
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == dict.fromkeys(
        ["/r:1/l:1:a", "/r:1/l:2:a", "/r:2/l:1:a", "/r:2/l:2:a"], 1
    )
