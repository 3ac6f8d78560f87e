"""Bring the schema up to date with Piccolo's migration runner, once at a time.

Any number of processes may start together: an advisory lock lets one migrate while the
others wait and then find nothing to do.
"""

import contextlib
import io
import logging

import asyncpg
from piccolo.apps.migrations.commands.base import BaseMigrationManager
from piccolo.apps.migrations.commands.forwards import run_forwards

from app.core.database import Database, engine
from app.core.errors import Refusal

LOCK_KEY = 574_972_001  # any constant; it names this lock among the database's advisory locks
log = logging.getLogger(__name__)


class MigrationFailed(Refusal):
    code = "database.migration_failed"

    def __init__(self, message: str) -> None:
        super().__init__(f"The schema could not be migrated: {message}. Nothing was half-applied.")


async def migrate(dsn: str) -> str:
    """Run what has not run yet; returns the runner's own account of it."""
    engine.config = {"dsn": dsn}  # the runner opens connections of its own
    guard = await asyncpg.connect(dsn)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", LOCK_KEY)
        said = io.StringIO()
        with contextlib.redirect_stdout(said):
            result = await run_forwards("slipway")
        if not result.success:
            raise MigrationFailed(result.message or "see the log")
    finally:
        await guard.close()
    log.info("schema is up to date")
    return said.getvalue()


class NotMigrated(Refusal):
    code = "database.not_migrated"

    def __init__(self, missing: list[str]) -> None:
        super().__init__(
            f"The database lacks {len(missing)} migration(s), the first is {missing[0]}. "
            "Run `slipway migrate`, then start again."
        )
        self.missing = missing


async def missing_migrations(database: Database) -> list[str]:
    """Return the ids of the migrations that have not run on this database."""
    manager = BaseMigrationManager()
    app_config = manager.get_app_config("slipway")
    modules = manager.get_migration_modules(app_config.resolved_migrations_folder_path)
    async with database.snapshot() as tx:
        if await tx.fetchval("SELECT to_regclass('migration')") is None:
            return sorted(modules)
        rows = await tx.fetch("SELECT name FROM migration WHERE app_name = 'slipway'")
    return sorted(set(modules) - {row["name"] for row in rows})


async def require_migrated(database: Database) -> None:
    if missing := await missing_migrations(database):
        raise NotMigrated(missing)
