"""What comes between two commits of the interpreter: a take-over, a cancellation, a lost run."""

import asyncio

import pytest
from structlog.testing import capture_logs

from app.core.ids import new_id
from app.flows import registry
from app.flows.interpreter import Interpreter
from app.flows.lease import Claim, claim_due
from app.flows.steer import cancel_run
from tests.flows.conftest import LEASE_S, Workshop, chain, document
from tests.flows.nodes import nodes

LIMIT_S = 30.0


async def claimed(workshop: Workshop) -> Claim:
    async with workshop.database.transaction() as tx:
        (claim,) = await claim_due(tx, owner="test", lease_s=LEASE_S, limit=1)
    return claim


async def hanging(workshop: Workshop) -> None:
    async with asyncio.timeout(LIMIT_S):
        while not workshop.world.done:  # noqa: ASYNC110 - the world tells nobody
            await asyncio.sleep(0.005)


def interpreter(workshop: Workshop) -> Interpreter:
    return Interpreter(workshop.database, workshop.world)


async def test_a_run_that_is_not_there_is_nobodys(workshop: Workshop) -> None:
    gone = Claim(new_id(), 1)
    with capture_logs() as lines:
        await interpreter(workshop).drive(gone)
    assert [(line["event"], line["run"]) for line in lines] == [("run.fenced", str(gone.run))]


async def test_who_was_overtaken_during_a_step_writes_nothing(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.hang", b="t.note"))
    driving = asyncio.create_task(interpreter(workshop).drive(await claimed(workshop)))
    await hanging(workshop)
    workshop.clock.advance(seconds=LEASE_S + 1)
    other = await claimed(workshop)
    workshop.world.gate.set()
    with capture_logs() as lines:
        await driving
    assert [line["event"] for line in lines] == ["run.fenced"]
    assert await workshop.attempts(run) == [("begin", 1, "succeeded"), ("a", 1, "started")]
    assert await workshop.notes() == []
    await interpreter(workshop).drive(other)
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/b:"]


async def test_a_run_that_is_being_cancelled_is_not_halted_by_an_unknown_type(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are due together; the run is cancelled while the first is under way."""
    run = await workshop.start(
        document({"a": "t.hang", "b": "t.note"}, [("begin.out", "a.in"), ("begin.out", "b.in")])
    )
    without = {key: kind for key, kind in nodes().items() if key[0] != "t.note"}
    monkeypatch.setattr(registry, "node_types", lambda: without)
    driving = asyncio.create_task(workshop.drive())
    await hanging(workshop)
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
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
