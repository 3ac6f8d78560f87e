"""Locks of the database that a test holds, and somebody waits for."""

import asyncio

from app.core.database import Database

_WAITS = """
SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()
AND wait_event_type = 'Lock')
"""


async def until_someone_waits(database: Database) -> None:
    """Return once a transaction of this database waits for a lock of another."""
    async with asyncio.timeout(30), database.snapshot() as tx:
        while not await tx.fetchval(_WAITS):  # noqa: ASYNC110 - PostgreSQL rings no bell for it
            await asyncio.sleep(0.01)
