"""What comes between two commits of the interpreter: a take-over, a cancellation, a lost run."""

import asyncio

import pytest
from structlog.testing import capture_logs

from app.flows import registry
from app.flows.steer import cancel_run
from tests.flows.conftest import LEASE_S, Workshop, chain, document
from tests.flows.nodes import nodes

LIMIT_S = 30.0


async def hanging(workshop: Workshop) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not workshop.world.done:  # noqa: ASYNC110 - the world tells nobody
            await asyncio.sleep(0.005)


async def test_a_run_that_is_not_there_is_nobodys(workshop: Workshop) -> None:
    await workshop.start(chain(a="t.note"))
    course = await workshop.claim()
    course.epoch += 7
    with capture_logs() as lines:
        await workshop.drive_one(course)
    assert [(line["event"], line["run"]) for line in lines] == [("run.fenced", str(course.id))]
    assert await workshop.notes() == []


async def test_who_was_overtaken_during_a_step_writes_nothing(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.hang", b="t.note"))
    driving = asyncio.create_task(workshop.drive_one(await workshop.claim()))
    await hanging(workshop)
    workshop.clock.advance(seconds=LEASE_S + 1)
    other = await workshop.claim()
    workshop.world.gate.set()
    with capture_logs() as lines:
        await driving
    assert [line["event"] for line in lines] == ["run.fenced"]
    assert await workshop.attempts(run) == [("begin", 1, "succeeded"), ("a", 1, "started")]
    assert await workshop.notes() == []
    await workshop.drive_one(other)
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/b:"]


async def test_a_run_that_is_being_cancelled_is_not_halted_by_an_unknown_type(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one is due while the other is under way; the run is cancelled before that."""
    steps = {"a": "t.hang", "p": ("t.pause", {"params": {"seconds": 1}}), "b": "t.note"}
    edges = [("begin.out", "a.in"), ("begin.out", "p.in"), ("p.out", "b.in")]
    run = await workshop.start(document(steps, edges))
    without = {key: kind for key, kind in nodes().items() if key[0] != "t.note"}
    monkeypatch.setattr(registry, "node_types", lambda: without)
    driving = asyncio.create_task(workshop.drive())
    await hanging(workshop)
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    workshop.clock.advance(seconds=2)
    workshop.world.gate.set()
    await driving
    assert await workshop.status(run) == "cancelled"
    assert ("b", 1, "halted") not in await workshop.attempts(run)


async def test_a_parameter_of_another_type_fails_the_step_before_it_begins(
    workshop: Workshop,
) -> None:
    run = await workshop.start(chain(a=("t.note", {"params": {"text": "=dyn(1 + 1)"}})))
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert await workshop.notes() == []
    async with workshop.database.snapshot() as tx:
        error = await tx.fetchval("SELECT error FROM run WHERE id = $1", run)
    assert "parameter of a" in error
