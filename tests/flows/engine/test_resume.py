"""Going on from where a run halted: edited, on a fixed version, in loops and branches."""

from typing import Any
from uuid import UUID

import pytest

from app.core.errors import Conflict, NotFound
from app.core.ids import new_id
from app.flows.node import StepFailed
from app.flows.steer import CannotMove, resume, retry_halted, settle
from tests.flows.conftest import Workshop
from tests.flows.engine.bench import (
    add_flow,
    calls,
    flow,
    input_of,
    output_of,
    places,
    row,
    story,
)
from tests.flows.nodes import busy

WRONG = ("t.note", {"text": "=steps.a.nothing"})
RIGHT = ("t.note", {"text": "=steps.a.text"})
ITEM = {"within": "each"}


def plain(n: Any, **more: Any):
    return flow(
        {"a": ("t.call", {"text": "v"}), "n": n, "end": "t.note", **more}, "begin > a > n > end"
    )


def looped(n: Any):
    steps = {
        "each": ("logic.each", {"items": ["x", "y"], "concurrency": 2}),
        "a": ("t.call", {"text": "=item"}, ITEM),
        "n": (*n, ITEM),
    }
    return flow(steps, "begin > each.each > a > n")


def branched(n: Any):
    steps = {
        "a": ("t.call", {"text": "v"}),
        "n": n,
        "b": "t.call",
        "j": "logic.join",
        "end": "t.note",
    }
    return flow(steps, "begin > a > n > j > end", "begin > b > j")


async def halted(workshop: Workshop, document: Any) -> UUID:
    run = await workshop.start(document)
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    return run


async def go_on(workshop: Workshop, run: UUID, **more: Any) -> None:
    async with workshop.database.transaction() as tx:
        await resume(tx, run, **more)
    await workshop.drive()


@pytest.mark.parametrize("make", [plain, looped, branched])
async def test_the_fixed_version_goes_on_where_the_run_stands(workshop: Workshop, make) -> None:
    """n8n#12957: a retry ignored the flow that was fixed since; windmill#4956: none in a loop."""
    run = await halted(workshop, make(WRONG))
    before = calls(workshop)
    version = await add_flow(workshop, make(RIGHT))
    await go_on(workshop, run)
    assert await workshop.status(run) == "halted", "a run stays on its version"
    await go_on(workshop, run, version=version)
    assert await workshop.status(run) == "succeeded"
    assert calls(workshop) == before, "finished steps are not done again"
    assert "moved" in await story(workshop, run)
    texts = [note for note in await workshop.notes() if "n:" in note]
    assert texts == {"looped": ["/each:1n:x", "/each:2n:y"]}.get(make.__name__, ["/n:v"])


@pytest.mark.parametrize("make", [plain, looped, branched])
async def test_edited_input_is_taken_for_that_step_alone(workshop: Workshop, make) -> None:
    run = await halted(workshop, make(WRONG))
    scope = "/each:1" if make is looped else "/"
    await go_on(workshop, run, edits={(scope, "n"): {"text": "=steps.a.text + '!'"}})
    if make is looped:
        assert await places(workshop, run) == {"/each": "inside", "/each:2/n": "halted"}
        assert await workshop.notes() == ["/each:1n:x!"]
        return
    assert await workshop.status(run) == "succeeded"
    assert "/n:v!" in await workshop.notes()
    assert await input_of(workshop, run, "n", 2) == {"text": "v!"}
    assert set(calls(workshop).values()) == {1}


async def test_a_version_that_lost_the_node_is_refused(workshop: Workshop) -> None:
    run = await halted(workshop, plain(WRONG))
    lost = await add_flow(workshop, flow({"a": "t.call", "other": RIGHT}, "begin > a > other"))
    other = await add_flow(workshop, plain(("t.call", {})))
    for version in (lost, other):
        with pytest.raises(CannotMove, match="stands at n"):
            await go_on(workshop, run, version=version)
    inside = await halted_in_loop(workshop)
    with pytest.raises(CannotMove, match="each"):
        await go_on(workshop, inside, version=lost)
    with pytest.raises(NotFound):
        await go_on(workshop, run, version=new_id())
    assert (await row(workshop, run))["status"] == "halted"


async def halted_in_loop(workshop: Workshop) -> UUID:
    run = await workshop.start(looped(WRONG), key="two")
    await workshop.drive()
    return run


async def test_only_what_is_halted_is_edited_settled_or_retried(workshop: Workshop) -> None:
    run = await halted(workshop, plain(WRONG))
    with pytest.raises(Conflict, match="end in / is not halted"):
        await go_on(workshop, run, edits={("/", "end"): {}})
    async with workshop.database.transaction() as tx:
        with pytest.raises(Conflict, match="not in doubt"):
            await settle(tx, run, scope="/", node="n", happened=True)
    await go_on(workshop, run, edits={("/", "n"): {"text": "ok"}})
    with pytest.raises(Conflict, match="gone on already"):
        await go_on(workshop, run)
    with pytest.raises(NotFound):
        await go_on(workshop, new_id())


async def test_many_are_retried_at_once(workshop: Workshop) -> None:
    from app.flows.steer import Fate, retry_many

    runs, gone = [], new_id()
    for count in range(3):
        workshop.world.refusals["a"] = [StepFailed("no")]
        runs.append(await workshop.start(plain(RIGHT), key=str(count)))
        await workshop.drive()
    await go_on(workshop, runs[0])
    async with workshop.database.transaction() as tx:
        fates = await retry_many(tx, [*runs, gone])
    assert fates == {
        runs[0]: Fate.not_halted,
        runs[1]: Fate.started,
        runs[2]: Fate.started,
        gone: Fate.unknown,
    }
    await workshop.drive()
    assert {await workshop.status(run) for run in runs} == {"succeeded"}


async def test_what_comes_after_may_ask_for_what_only_an_edit_asked_for(
    workshop: Workshop,
) -> None:
    """The edited step refers to a node that nothing in the flow refers to."""
    steps = {
        "b": ("t.call", {"text": "b"}),
        "w": ("logic.wait", {"for": "1m"}),
        "f": ("t.note", {"text": "=input.nothing"}),
        "end": "t.note",
    }
    run = await workshop.start(flow(steps, "begin > b > w > f > end"))
    await workshop.drive()
    workshop.clock.advance(minutes=1)
    await workshop.drive()
    await go_on(workshop, run, edits={("/", "f"): {"text": "=steps.b.text"}})
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/end:", "/f:b"]


async def test_a_retry_has_all_its_attempts_again_as_new_ones(workshop: Workshop) -> None:
    run = await workshop.start(plain(RIGHT))
    workshop.world.refusals["a"] = [busy(), busy()]
    await workshop.drive()
    for _ in range(2):
        async with workshop.database.transaction() as tx:
            await retry_halted(tx, run)
        await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert [entry for entry in await workshop.attempts(run) if entry[0] == "a"] == [
        ("a", 1, "failed"), ("a", 2, "failed"), ("a", 3, "succeeded"),
    ]  # fmt: skip
    assert await output_of(workshop, run, "a") == {"count": 1, "text": "v"}
