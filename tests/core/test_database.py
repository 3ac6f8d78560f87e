"""Transactions: nothing leaks when a task is cancelled or the server goes away; topics after commit."""

import asyncio

import asyncpg
import pytest

from app.core.database import Database
from app.domain.catalog.tables import Category


async def _in_use(database: Database) -> int:
    return database.pool.get_size() - database.pool.get_idle_size()


@pytest.mark.parametrize("steps", range(1, 14))
async def test_a_cancelled_task_leaves_no_connection_behind(database: Database, steps: int) -> None:
    async def work() -> None:
        async with database.transaction() as tx:
            await tx.fetchval("SELECT 1")

    task = asyncio.create_task(work())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    async with asyncio.timeout(30):
        while await _in_use(database):  # noqa: ASYNC110 - the pool gives it back by itself
            await asyncio.sleep(0)


async def test_a_lost_connection_does_not_block_the_task_for_good(database: Database) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        async with database.transaction() as tx:
            pid = await tx.fetchval("SELECT pg_backend_pid()")
            async with database.snapshot() as other:
                await other.fetchval("SELECT pg_terminate_backend($1)", pid)
            await tx.fetchval("SELECT 1")
    async with database.transaction() as tx:
        assert await tx.fetchval("SELECT 1") == 1
    assert await _in_use(database) == 0


async def test_a_second_transaction_in_the_same_task_is_refused(database: Database) -> None:
    async with database.transaction():
        with pytest.raises(RuntimeError, match="already open"):
            async with database.transaction():
                pass


async def test_piccolo_queries_ride_along(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as tx:
            await tx.execute(
                "INSERT INTO category (id, slug, name) VALUES (gen_random_uuid(), 'a', 'A')"
            )
            assert await Category.count() == 1
            raise ValueError

    with pytest.raises(ValueError):  # noqa: PT011 - our own
        await write()
    async with database.transaction():
        assert await Category.count() == 0


async def test_a_savepoint_undoes_only_its_block(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(
            "INSERT INTO category (id, slug, name) VALUES (gen_random_uuid(), 'a', 'A')"
        )
        with pytest.raises(asyncpg.UniqueViolationError):
            async with tx.savepoint():
                await tx.execute(
                    "INSERT INTO category (id, slug, name) VALUES (gen_random_uuid(), 'a', 'A')"
                )
        assert await Category.count() == 1


async def test_topics_are_published_only_after_the_commit(database: Database) -> None:
    told: list[frozenset[str]] = []

    async def listen(topics: frozenset[str]) -> None:
        told.append(topics)
        raise OSError("Redis is away")  # what is lost is found by the next sweep

    database.after_commit = listen
    async with database.transaction() as tx:
        tx.publish("order:1", "dashboard")
        assert told == []
    assert told == [frozenset({"order:1", "dashboard"})]
