"""The database goes away, or refuses one change, in the middle: nothing else suffers from it."""

import asyncio
from collections.abc import Iterable
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from app.core.errors import Conflict, NotFound, Refusal
from app.core.ids import new_id
from app.flows import journal, lease, writer
from app.flows.change import Change
from app.flows.steer import By, cancel_if_open, cancel_run, decide
from app.flows.writer import Writer
from tests.flows.conftest import QUICK, Workshop, chain, document

GONE = asyncpg.ConnectionDoesNotExistError("the connection was closed")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "RETRY_S", 0.001)
    monkeypatch.setattr("app.flows.interpreter.AGAIN_S", 0.001)


async def test_a_commit_whose_answer_is_lost_is_made_once(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of every second write nobody knows whether it was made: it was, and the next one sees it."""
    write, count = journal.write, 0

    async def unlucky(connection: Any, changes: list[Change], **more: Any) -> Any:
        nonlocal count
        count += 1
        found = await write(connection, changes, **more)
        if count % 2:
            raise GONE
        return found

    monkeypatch.setattr(journal, "write", unlucky)
    run = await workshop.start(chain(a="t.note", b="t.call", c="t.note"))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/a:", "/c:"]
    assert len(workshop.world.done) == 1
    assert count > 2


async def test_one_refused_change_keeps_no_other_back(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = journal.write
    bad = await workshop.start(chain(a="t.call"), key="bad")
    good = await workshop.start(chain(a="t.call"), key="good")

    async def picky(connection: Any, changes: list[Change], **more: Any) -> Any:
        if any(change.run == bad for change in changes):
            raise asyncpg.DataError("invalid input syntax")
        return await write(connection, changes, **more)

    monkeypatch.setattr(journal, "write", picky)
    await workshop.drive()
    assert await workshop.status(good) == "succeeded"
    assert await workshop.status(bad) == "halted"


async def test_pages_that_cannot_be_told_hold_nothing_up(workshop: Workshop) -> None:
    told: list[str] = []

    async def deaf(topics: Iterable[str]) -> None:
        told.extend(topics)
        raise ConnectionError("Redis is away")

    workshop.database.after_commit = deaf
    run = await workshop.start(chain(a="t.call"))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert f"run:{run}" in told


async def test_what_waits_when_the_writer_closes_is_given_up(workshop: Workshop) -> None:
    one = Writer(workshop.database)
    waits = asyncio.ensure_future(
        one.write(Change(run=new_id(), epoch=1, now=workshop.clock.now()))
    )
    await asyncio.sleep(0)
    await one.close()
    with pytest.raises(asyncio.CancelledError):
        await waits


async def test_a_database_that_is_away_when_a_run_is_read_anew(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An effect in our own database is lost with its connection; the run is read, and it is done."""
    look, again = lease.look, lease.claim_again
    troubles: list[str] = []

    async def unlucky_look(*args: Any) -> Any:
        if "look" not in troubles:
            troubles.append("look")
            raise GONE
        return await look(*args)

    async def unlucky_again(*args: Any) -> Any:
        if "again" not in troubles:
            troubles.append("again")
            raise OSError("no route")
        return await again(*args)

    monkeypatch.setattr(lease, "look", unlucky_look)
    monkeypatch.setattr(lease, "claim_again", unlucky_again)
    run = await workshop.start(chain(a="t.note", b="t.call"))
    await workshop.drive()
    assert await workshop.status(run) == "succeeded"
    assert await workshop.notes() == ["/a:"]
    assert troubles == ["look", "again"]


async def test_a_run_that_cannot_be_read_anew_for_another_reason_is_left_to_its_lease(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*_: Any) -> Any:
        raise GONE

    async def broken(*_: Any) -> Any:
        raise RuntimeError("a defect of ours")

    monkeypatch.setattr(lease, "look", lost)
    monkeypatch.setattr(lease, "claim_again", broken)
    await workshop.start(chain(a="t.note"))
    course = await workshop.claim()
    with pytest.raises(RuntimeError, match="a defect"):
        await workshop.drive_one(course)


@pytest.mark.parametrize(
    "error", [asyncpg.SerializationError("meets another"), asyncpg.DeadlockDetectedError("knot")],
    ids=["serialisation", "deadlock"],
)  # fmt: skip
async def test_an_effect_of_ours_that_always_meets_others_fails_in_the_end(
    workshop: Workshop, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    async def meets(*_: Any) -> Any:
        raise error

    run = await workshop.start(chain(a="t.note"))
    course = await workshop.claim()
    monkeypatch.setattr(lease, "look", meets)
    await workshop.drive_one(course)
    assert await workshop.status(run) == "halted"


async def test_a_stranger_s_epoch_writes_nothing(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.note"))
    async with workshop.database.transaction() as tx:
        with pytest.raises(lease.Fenced):
            await journal.write_with(tx, run, Change(run=run, epoch=99, now=tx.now()))
        with pytest.raises(lease.Fenced):
            await lease.claim_again(tx, run, 99)
        with pytest.raises(lease.Fenced):
            await lease.look(tx, run, 99)


async def test_what_a_person_asks_of_a_run_that_does_not_wait_is_refused(
    workshop: Workshop,
) -> None:
    run = await workshop.start(chain(a="t.note"))
    await workshop.drive()
    async with workshop.database.transaction() as tx:
        with pytest.raises(Refusal, match="approved or rejected"):
            await decide(tx, run, scope="/", node="a", decision="maybe")
        with pytest.raises(Conflict, match="does not wait"):
            await decide(tx, run, scope="/", node="a", decision="approved")
        with pytest.raises(Conflict, match="already ended"):
            await cancel_run(tx, run, by=By(None, "test"))
        assert not await cancel_if_open(tx, run)
        with pytest.raises(NotFound):
            await cancel_run(tx, UUID(int=5))


async def test_who_cancels_is_written_down(workshop: Workshop) -> None:
    run = await workshop.start(chain(a="t.hang"))
    async with workshop.database.transaction() as tx:
        await cancel_run(tx, run, by=By(None, "slipway run cancel"), reason="asked for it")
    async with workshop.database.snapshot() as tx:
        row = await tx.fetchrow(
            "SELECT actor_label, reason FROM audit_entry WHERE subject = $1", run
        )
    assert tuple(row) == ("slipway run cancel", "asked for it")
    await workshop.drive()
    assert await workshop.status(run) == "cancelled"


async def test_a_step_that_ends_after_its_run_was_decided_moves_nothing(
    workshop: Workshop,
) -> None:
    """One branch fails the run while the other is being done outside."""
    flow = document(
        {"a": ("t.call", {"retry": QUICK}), "b": "t.refuse"},
        [("begin.out", "a.in"), ("begin.out", "b.in")],
        on_failure="compensate",
    )
    run = await workshop.start(flow)
    await workshop.drive()
    assert await workshop.status(run) == "failed"
