"""The outbox: with the commit or not at all, once per key, due again when a relay dies."""

import pytest

from app.core.clock import SetClock
from app.core.database import Database
from app.core.outbox import DOORBELL, claim_due, emit, forget_done, mark_done, mark_failed


async def test_a_row_is_written_with_the_commit_and_rings_after_it(database: Database) -> None:
    rung: list[frozenset[str]] = []

    async def listen(topics: frozenset[str]) -> None:
        rung.append(topics)

    database.after_commit = listen
    async with database.transaction() as tx:
        await emit(tx, "order.paid", "k1", {"order": "1"})
        assert rung == []
    assert rung == [frozenset({DOORBELL})]


async def test_nothing_is_written_when_the_transaction_fails(database: Database) -> None:
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await emit(tx, "order.paid", "k1", {})
            raise RuntimeError
    async with database.transaction() as tx:
        assert await claim_due(tx) == []


async def test_the_same_key_is_one_row(database: Database) -> None:
    async with database.transaction() as tx:
        await emit(tx, "order.paid", "k1", {"order": "1"})
        await emit(tx, "order.paid", "k1", {"order": "2"})
        (parcel,) = await claim_due(tx)
    assert parcel.payload == {"order": "1"}


async def test_a_claim_that_is_not_finished_is_due_again(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await emit(tx, "order.paid", "k1", {})
        assert len(await claim_due(tx)) == 1
        assert await claim_due(tx) == []
    clock.advance(seconds=31)
    async with database.transaction() as tx:
        (again,) = await claim_due(tx)
        assert again.attempts == 2
        await mark_failed(tx, again, "connection refused")
        assert await claim_due(tx) == []
    clock.advance(seconds=3)
    async with database.transaction() as tx:
        (third,) = await claim_due(tx)
        await mark_done(tx, third)
    clock.advance(days=1)
    async with database.transaction() as tx:
        assert await claim_due(tx) == []


async def test_what_fails_for_weeks_stays_due_every_five_minutes(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await emit(tx, "order.paid", "k1", {})
        await tx.execute("UPDATE outbox SET attempts = 5000")
        (parcel,) = await claim_due(tx)
        await mark_failed(tx, parcel, "still \x00 no \udcff answer")
        assert await claim_due(tx) == []
    clock.advance(seconds=301)
    async with database.transaction() as tx:
        assert len(await claim_due(tx)) == 1
        assert await tx.fetchval("SELECT error FROM outbox") == "still � no ? answer"


async def test_rows_that_are_done_are_forgotten_after_a_month(
    database: Database, clock: SetClock
) -> None:
    async with database.transaction() as tx:
        await emit(tx, "order.paid", "done", {})
        (parcel,) = await claim_due(tx)
        await mark_done(tx, parcel)
        await emit(tx, "order.paid", "open", {})
    for days, left in ((29, ["done", "open"]), (2, ["open"]), (365, ["open"])):
        clock.advance(days=days)
        async with database.transaction() as tx:
            await forget_done(tx)
            rows = await tx.fetch("SELECT key FROM outbox ORDER BY id")
        assert [row["key"] for row in rows] == left
