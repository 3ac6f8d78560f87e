"""Migrations: SQL written to be read, run in order by Piccolo's migration command.

`tests/migrations/` proves that the migrated schema and the table classes agree.
"""

from collections.abc import Awaitable, Callable
from pathlib import Path

from app.core.database import engine


def run_sql(name: str) -> Callable[[], Awaitable[None]]:
    """Return a coroutine function that runs the statements of `name` on the open transaction."""

    async def run() -> None:
        transaction = engine.current_transaction.get()
        # asyncpg's `execute` takes a script; Piccolo's `run_ddl` takes one statement.
        await transaction.connection.execute((Path(__file__).parent / name).read_text())

    return run
