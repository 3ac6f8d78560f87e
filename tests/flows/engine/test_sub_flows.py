"""action.run_flow: a flow in a flow, waited for, failed with, cancelled with, undone with."""

from typing import Any
from uuid import UUID

from app.flows.document import Timeout
from app.flows.steer import cancel_run, retry_halted
from tests.flows.conftest import Workshop
from tests.flows.engine.bench import (
    add_flow,
    flow,
    ledger,
    output_of,
    row,
    tell_ends,
    undone,
)

PARENT = {
    "s": ("action.run_flow", {"flow": "child", "input": {"plan": "=input.name"}}),
    "n": "t.note",
}


async def family(workshop: Workshop, child: dict[str, Any], path: str, *more: str, **settings: Any):
    await add_flow(workshop, flow(child, path, name="child"))
    steps = {**PARENT, **settings.pop("steps", {})}
    run = await workshop.start(flow(steps, "begin > s > n", *more, **settings))
    await go(workshop)
    return run


async def go(workshop: Workshop) -> None:
    """Drive parents and children until nothing is due."""
    for _ in range(6):
        await workshop.drive()
        await tell_ends(workshop)
    await workshop.drive()


async def child_of(workshop: Workshop, run: UUID) -> dict[str, Any]:
    async with workshop.database.snapshot() as tx:
        return dict(await tx.fetchrow("SELECT * FROM run WHERE parent = $1 ORDER BY id DESC", run))


async def test_the_output_of_the_other_flow_is_the_steps(workshop: Workshop) -> None:
    stop = {"a": "t.call", "s": ("logic.stop", {"output": {"plan": "=input.plan"}})}
    run = await family(workshop, stop, "begin > a > s")
    assert await workshop.status(run) == "succeeded"
    child = await child_of(workshop, run)
    assert await output_of(workshop, run, "s") == {
        "run": str(child["id"]), "status": "succeeded", "output": {"plan": "Ada"},
    }  # fmt: skip
    assert child["subject"] == (await row(workshop, run))["subject"]
    assert await ledger(workshop, run) == [("s", "taken")]


async def test_without_a_stop_its_last_step_gives_the_output(workshop: Workshop) -> None:
    run = await family(workshop, {"a": ("t.call", {"text": "x"})}, "begin > a")
    assert (await output_of(workshop, run, "s"))["output"] == {"count": 1, "text": "x"}


async def test_its_failure_is_the_steps_and_a_retry_runs_it_anew(workshop: Workshop) -> None:
    fail = {"a": "t.call", "f": ("logic.fail", {"message": "no addresses"})}
    run = await family(workshop, fail, "begin > a > f")
    assert await workshop.status(run) == "halted"
    assert (await row(workshop, run))["error"] == "child failed: no addresses"
    assert undone(workshop) == ["/:a"]
    await add_flow(workshop, flow({"a": "t.call"}, "begin > a", name="child"))
    async with workshop.database.transaction() as tx:
        await retry_halted(tx, run)
    await go(workshop)
    assert await workshop.status(run) == "succeeded"
    assert len(workshop.world.done) == 2, "once in each of its runs"


async def test_a_parent_that_is_cancelled_takes_its_child_along(workshop: Workshop) -> None:
    waiting = {"a": "t.take", "w": ("logic.wait", {"for": "1h"})}
    run = await family(workshop, waiting, "begin > a > w")
    child = (await child_of(workshop, run))["id"]
    assert (await workshop.status(run), await workshop.status(child)) == ("waiting", "waiting")
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    await go(workshop)
    workshop.clock.advance(seconds=2)
    await go(workshop)
    assert (await workshop.status(run), await workshop.status(child)) == ("cancelled", "cancelled")
    assert await ledger(workshop, child) == [("a", "returned")]


async def test_a_child_that_takes_too_long_is_undone_with_its_step(workshop: Workshop) -> None:
    """The step failed, and what it did before it waited stands: it is undone all the same."""
    await add_flow(
        workshop,
        flow({"a": "t.take", "w": ("logic.wait", {"for": "1h"})}, "begin > a > w", name="child"),
    )
    limited = {"s": (*PARENT["s"], {"timeout": Timeout(total="10m")})}
    run = await workshop.start(flow(limited, "begin > s", on_failure="compensate"))
    for _ in range(3):
        await go(workshop)
        workshop.clock.advance(minutes=10)
    child = (await child_of(workshop, run))["id"]
    assert (await workshop.status(run), await workshop.status(child)) == ("failed", "cancelled")
    assert await ledger(workshop, child) == [("a", "returned")]


async def test_a_finished_child_is_undone_when_its_parent_is(workshop: Workshop) -> None:
    child = {"a": "t.take", "b": "t.call"}
    run = await family(
        workshop, child, "begin > a > b", "n > f", steps={"f": "t.refuse"}, on_failure="compensate"
    )
    for _ in range(2):
        workshop.clock.advance(seconds=2)
        await go(workshop)
    assert await workshop.status(run) == "failed"
    found = await child_of(workshop, run)
    assert found["status"] == "cancelled"
    assert undone(workshop) == ["/:b", "/:a"]
    assert await ledger(workshop, found["id"]) == [("a", "returned")]
    assert await ledger(workshop, run) == [("s", "returned")]


async def test_a_flow_that_runs_itself_is_stopped(workshop: Workshop) -> None:
    again = {"s": ("action.run_flow", {"flow": "test"})}
    run = await workshop.start(flow(again, "begin > s"))
    for _ in range(4):
        await go(workshop)
    async with workshop.database.snapshot() as tx:
        states = await tx.fetch("SELECT status, error FROM run ORDER BY created_at, id")
    assert len(states) == 9
    assert states[-1]["status"] == "halted"
    assert "nested more than 8 deep" in states[-1]["error"]
    assert await workshop.status(run) == "waiting"
