"""Answers that are kept until somebody writes: never an old one, and none read for nothing."""

import asyncio

import pytest

from app.core.database import Database, Tx
from app.core.kept import Kept


class Questions:
    """Counts categories, and how often it had to look."""

    def __init__(self) -> None:
        self.kept = Kept[int](2)
        self.looked = 0

    async def ask(self, tx: Tx, key: str = "") -> int:
        async def read() -> int:
            self.looked += 1
            return int(await tx.fetchval("SELECT count(*) FROM datacentre"))

        return await self.kept.get(tx, key, read)


async def _found(tx: Tx, code: str) -> None:
    await tx.execute("INSERT INTO datacentre VALUES (gen_random_uuid(), $1, $1)", code)


async def test_a_question_is_answered_from_memory_until_somebody_commits(
    database: Database,
) -> None:
    questions = Questions()
    async with database.snapshot() as reader:
        # PostgreSQL itself may write now and then, so not a single time
        assert {await questions.ask(reader) for _ in range(9)} == {0}
        looked = questions.looked
        assert looked < 5
        assert await questions.ask(reader, "another question") == 0
        assert questions.looked > looked
        async with database.transaction() as writer:
            await _found(writer, "ams")
            assert await questions.ask(reader) == 0, "it is not committed"
            assert await questions.ask(writer) == 1, "what it wrote itself"
        assert await questions.ask(reader) == 1


async def test_what_was_undone_is_not_kept(database: Database) -> None:
    questions = Questions()
    with pytest.raises(RuntimeError):
        async with database.transaction() as tx:
            await _found(tx, "fra")
            assert await questions.ask(tx) == 1
            raise RuntimeError
    async with database.snapshot() as reader:
        assert await questions.ask(reader) == 0


async def test_an_answer_that_was_overtaken_while_it_was_read_is_not_kept(
    database: Database,
) -> None:
    kept = Kept[int](2)
    async with database.snapshot() as reader:

        async def read() -> int:
            number = int(await reader.fetchval("SELECT count(*) FROM datacentre"))
            async with database.transaction() as writer:
                await _found(writer, f"site{number}")
            return number

        assert [await kept.get(reader, "", read) for _ in range(2)] == [0, 1]


async def test_whoever_asks_while_it_is_being_read_waits_for_that(database: Database) -> None:
    questions = Questions()

    async def ask() -> int:
        async with database.snapshot() as reader:
            return await questions.ask(reader)

    assert await asyncio.gather(*(ask() for _ in range(4))) == [0, 0, 0, 0]
    assert questions.looked < 4
    assert not questions.kept._reading


async def test_who_waited_for_a_reading_that_failed_reads_itself(database: Database) -> None:
    kept = Kept[int](2)
    begun = asyncio.Event()

    async def fail() -> int:
        begun.set()
        await asyncio.sleep(0.05)
        raise RuntimeError

    async def succeed() -> int:
        return 7

    async with database.snapshot() as one, database.snapshot() as other:
        failing = asyncio.create_task(kept.get(one, "", fail))
        await begun.wait()
        assert await kept.get(other, "", succeed) == 7
        with pytest.raises(RuntimeError):
            await failing


async def test_only_the_latest_answers_are_kept(database: Database) -> None:
    questions = Questions()
    async with database.snapshot() as reader:
        for key in ("one", "two", "three", "two", "one"):
            await questions.ask(reader, key)
    assert len(questions.kept._answers) == 2
