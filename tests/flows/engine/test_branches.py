"""Branches side by side: none waits for another but at a join, and people steer one meanwhile."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from uuid import UUID

from app.core.database import engine
from app.flows import journal
from app.flows.document import Retry
from app.flows.node import StepFailed
from app.flows.steer import cancel_run, retry_halted
from tests.flows.conftest import LEASE_S, Workshop
from tests.flows.engine.bench import calls, flow, output_of, places, row, undone
from tests.flows.nodes import Killed, busy


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await holds():  # noqa: ASYNC110 - neither the world nor the database tells
            await asyncio.sleep(0.01)


@contextlib.asynccontextmanager
async def running(workshop: Workshop) -> AsyncIterator[None]:
    """A worker that runs by itself."""
    task = asyncio.create_task(workshop.runner().run())
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def status_is(workshop: Workshop, run: UUID, status: str) -> Callable[[], Awaitable[bool]]:
    async def holds() -> bool:
        return await workshop.status(run) == status

    return holds


async def test_a_branch_goes_on_while_a_step_of_another_takes_long(workshop: Workshop) -> None:
    steps = {"v": ("t.value", {"value": 1}), "a": "t.call", "n": "t.note", "h": "t.hang"}
    run = await workshop.start(flow(steps, "begin > v > a > n", "begin > h"))

    async def noted() -> bool:
        return await workshop.notes() == ["/n:"]

    async with running(workshop):
        await until(noted)
        assert await places(workshop, run) == {"/h": "started"}
        workshop.world.gate.set()
        await until(status_is(workshop, run, "succeeded"))


async def test_every_edge_of_a_port_is_gone_by_once(workshop: Workshop) -> None:
    steps = dict.fromkeys("abcd", "t.note")
    run = await workshop.start(flow(steps, "begin > a > b", "a > c", "a > d"))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/a:", "/b:", "/c:", "/d:"]


async def test_named_branches_are_all_gone_by(workshop: Workshop) -> None:
    from app.flows.document import Document, NodeSpec

    parallel = NodeSpec(type="logic.parallel", params={"branches": ["x", "y"]})
    document = flow({"p": ("t.value", {}), "a": "t.note", "b": "t.note", "e": "t.note"},
                    "begin > p > a", "p > b", "p > e")  # fmt: skip
    edges = (("begin.out", "p.in"), ("p.branch:x", "a.in"), ("p.branch:y", "b.in"),
             ("p.error", "e.in"))  # fmt: skip
    document = Document(flow="test", nodes={**document.nodes, "p": parallel}, edges=edges)
    run = await workshop.start(document)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/a:", "/b:"], "by every branch, not by `error`"


async def test_one_branch_halts_and_the_other_is_done_to_its_end(workshop: Workshop) -> None:
    steps = {"f": "t.refuse", "a": "t.call", "b": "t.call", "n": "t.note"}
    run = await workshop.start(flow(steps, "begin > f", "begin > a > b > n"))
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert await places(workshop, run) == {"/f": "halted"}
    assert await workshop.notes() == ["/n:"]
    assert (await row(workshop, run))["error"] == "refused"


async def test_a_halted_branch_is_retried_while_the_other_is_under_way(workshop: Workshop) -> None:
    steps = {"a": "t.call", "n": "t.note", "h": "t.hang"}
    run = await workshop.start(flow(steps, "begin > a > n", "begin > h"))
    workshop.world.refusals["a"] = [StepFailed("no such plan")]

    async def halted() -> bool:
        return await places(workshop, run) == {"/a": "halted", "/h": "started"}

    async with running(workshop):
        await until(halted)
        async with workshop.database.transaction() as tx:
            await retry_halted(tx, run)
        assert (await row(workshop, run))["steered"]
        workshop.world.gate.set()
        await until(status_is(workshop, run, "succeeded"))
    assert calls(workshop) == {"/:a": 1, "/:h": 1}, "the one under way was not done again"
    assert ("a", 2, "succeeded") in await workshop.attempts(run)


async def test_a_run_cancelled_while_a_step_is_under_way_undoes_that_too(
    workshop: Workshop,
) -> None:
    steps = {"a": "t.call", "w": ("logic.approval", {"title": "?"}), "h": "t.hang"}
    run = await workshop.start(flow(steps, "begin > a > w", "begin > h"))

    async def under_way() -> bool:
        return await places(workshop, run) == {"/w": "waiting", "/h": "started"}

    async with running(workshop):
        await until(under_way)
        async with workshop.database.transaction() as tx:
            await cancel_run(tx, run)
        workshop.world.gate.set()
        await until(status_is(workshop, run, "cancelled"))
    assert undone(workshop) == ["/:a"]
    assert ("h", 1, "compensated") in await workshop.attempts(run)


async def test_what_two_steps_in_our_database_write_builds_on_one_another(
    workshop: Workshop, monkeypatch
) -> None:
    """The second is written only after the first is committed, since it tells of both."""
    steps = {
        "each": ("logic.each", {"items": ["x", "y"], "concurrency": 2, "collect": "=item"}),
        "p": ("logic.wait", {"for": "1m"}, {"within": "each"}),
        "n": ("t.note", {"text": "=item"}, {"within": "each"}),
    }
    run = await workshop.start(flow(steps, "begin > each.each > p > n"))
    await workshop.drive()
    workshop.clock.advance(minutes=1)
    write, first = journal.write_with, []

    async def lose_the_first(tx, *given):
        written = await write(tx, *given)
        if not first:
            first.append(engine)
            raise ConnectionError("the connection was lost before the commit")
        return written

    monkeypatch.setattr(journal, "write_with", lose_the_first)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert (await output_of(workshop, run, "each"))["items"] == ["x", "y"]
    assert await workshop.notes() == ["/each:1n:x", "/each:2n:y"]


async def test_branches_are_tried_again_each_in_its_time(workshop: Workshop) -> None:
    def patient(delay: str):
        return {"retry": Retry(max=3, delay=delay, factor=1.0, jitter=False)}

    steps = {
        "a": ("t.call", {}, patient("1m")), "b": ("t.call", {}, patient("1h")), "j": "logic.join",
    }  # fmt: skip
    run = await workshop.start(flow(steps, "begin > a > j", "begin > b > j"))
    workshop.world.refusals |= {"a": [busy(), busy()], "b": [busy()]}
    for wait, left in ({"minutes": 1}, 1), ({"minutes": 1}, 1), ({"minutes": 58}, 2):
        await workshop.drive()
        assert len(await places(workshop, run)) == 2
        assert len(calls(workshop)) == left - 1
        workshop.clock.advance(**wait)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert [entry for entry in await workshop.attempts(run) if entry[0] == "a"] == [
        ("a", 1, "failed"), ("a", 2, "failed"), ("a", 3, "succeeded"),
    ]  # fmt: skip


async def test_a_branch_that_dies_with_its_worker_lets_the_others_be(workshop: Workshop) -> None:
    steps = {"a": "t.call", "b": "t.once", "w": ("logic.wait", {"for": "1h"}), "n": "t.note"}
    run = await workshop.start(flow(steps, "begin > a", "begin > b", "begin > w > n"))

    def die(node: str) -> None:
        if node == "b":
            raise Killed

    workshop.world.after = die
    assert await workshop.drive_and_die()
    workshop.clock.advance(seconds=LEASE_S + 1)
    await workshop.drive()
    assert await places(workshop, run) == {"/b": "halted", "/w": "waiting"}
    workshop.clock.advance(hours=1)
    await workshop.drive()
    assert await workshop.notes() == ["/n:"]
    assert calls(workshop)["/:b"] == 1, "never done twice by itself"
