"""What seldom happens: each of it once, on purpose."""

import asyncio
import dataclasses
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.core.ids import new_id
from app.flows import journal, lease, registry
from app.flows import recall as recalling
from app.flows.change import Change
from app.flows.chart import Charts, make_chart
from app.flows.compensate import compensate
from app.flows.document import Document, NodeSpec
from app.flows.node import Done, Effect, NodeType, Resource
from app.flows.steer import cancel_run
from app.flows.writer import Writer
from tests.flows.conftest import LEASE_S, Workshop, chain, document
from tests.flows.nodes import Killed, Nothing, begin

GONE = asyncpg.ConnectionDoesNotExistError("the connection was closed")


def test_the_oldest_chart_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Charts, "MOST", 1)
    charts, first, second = Charts(), new_id(), new_id()
    charts.keep(first, chain())
    charts.keep(second, chain())
    assert charts.get(first) is None
    assert charts.get(second) is not None


def test_an_edge_to_nothing_leads_nowhere() -> None:
    flow = Document(flow="test", nodes={"a": NodeSpec(type="t.note")}, edges=(("a.out", "b.in"),))
    assert make_chart(new_id(), flow).stops["a"].targets("out") == ()


async def test_two_changes_of_which_one_is_refused(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gathered into one commit, they are written apart; who no longer waits is not told."""
    bad, good = new_id(), new_id()

    async def picky(_: Any, changes: list[Change], **more: Any) -> Any:
        if any(change.run == bad for change in changes):
            raise asyncpg.DataError("invalid input syntax")
        return {}

    monkeypatch.setattr(journal, "write", picky)
    one, now = Writer(workshop.database), workshop.clock.now()
    refused, impatient, fenced = (
        asyncio.ensure_future(one.write(Change(run=run, epoch=1, now=now)))
        for run in (bad, bad, good)
    )
    await asyncio.sleep(0)
    impatient.cancel()
    with pytest.raises(asyncpg.DataError):
        await refused
    with pytest.raises(lease.Fenced):
        await fenced
    await one.close()


async def test_a_step_in_doubt_whose_node_type_cannot_be_asked_any_more(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its package was changed meanwhile: a person must look."""
    run = await workshop.start(chain(a="t.asked"))
    workshop.world.after = _once(Killed())
    assert await workshop.drive_and_die()
    workshop.clock.advance(seconds=LEASE_S + 1)
    installed = registry.node_types()
    mute = dataclasses.replace(installed["t.asked", 1], probe=None)
    monkeypatch.setattr(registry, "node_types", lambda: {**installed, ("t.asked", 1): mute})
    await workshop.drive()
    assert await workshop.status(run) == "halted"
    assert len(workshop.world.done) == 1
    async with workshop.database.snapshot() as tx:
        error = await tx.fetchval("SELECT error FROM run WHERE id = $1", run)
    assert "cannot be asked" in error


def _once(error: BaseException) -> Any:
    troubles = [error]

    def after(_: str) -> None:
        if troubles:
            raise troubles.pop()

    return after


async def test_a_node_whose_database_went_away_is_done_again_under_its_key(
    workshop: Workshop,
) -> None:
    run = await workshop.start(chain(a="t.call"))
    workshop.world.before = _once(GONE)
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert list(workshop.world.done.values()) == [1]


async def test_a_document_that_cannot_be_read_any_more_lets_the_run_go(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    await workshop.start(chain(a="t.note"))
    course = await workshop.claim()

    async def lost(*_: Any) -> Any:
        raise GONE

    async def nothing(*_: Any) -> Any:
        return [], []

    monkeypatch.setattr(lease, "look", lost)
    monkeypatch.setattr(recalling, "recall", nothing)
    await workshop.drive_one(course)
    assert await workshop.status(course.id) == "running", "its lease ends by itself"


async def test_an_undo_that_another_worker_does_is_left_to_it(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.note", b="t.refuse"))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run)
    course = await workshop.claim()
    course.epoch -= 1
    with pytest.raises(lease.Fenced):
        await compensate(workshop.database, workshop.world, course)


async def test_a_guard_knows_a_stranger(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.note"))
    async with workshop.database.transaction() as tx:
        with pytest.raises(lease.Fenced):
            await lease.guard(tx, run, 99)
        with pytest.raises(lease.Fenced):
            await lease.guard(tx, UUID(int=3), 1)


async def test_what_is_taken_and_delivered_at_once_is_never_owed(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def hand_over(*_: Any) -> Done:
        return Done({}, takes=(Resource("thing", "one"),), delivers=True)

    made = [
        NodeType("t.begin", "Begin", "", Nothing, Effect.DATABASE, begin, trigger="test"),
        NodeType("t.give", "Give", "", Nothing, Effect.DATABASE, hand_over, takes=("thing",)),
    ]
    monkeypatch.setattr(registry, "node_types", lambda: {(one.name, 1): one for one in made})
    run = await workshop.start(document({"a": "t.give"}, [("begin.out", "a.in")]))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    async with workshop.database.snapshot() as tx:
        assert (
            await tx.fetchval("SELECT state FROM run_resource WHERE run = $1", run) == "delivered"
        )
