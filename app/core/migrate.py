"""Bring the schema up to date with Piccolo's migration runner, once at a time.

Any number of processes may start together: an advisory lock lets one migrate while the
others wait and then find nothing to do.
"""

import contextlib
import io
import logging

import asyncpg
from piccolo.apps.migrations.commands.forwards import run_forwards

from app.core.errors import Refusal

LOCK_KEY = 574_972_001  # any constant; it names this lock among the database's advisory locks
log = logging.getLogger(__name__)


class MigrationFailed(Refusal):
    code = "database.migration_failed"

    def __init__(self, message: str) -> None:
        super().__init__(f"The schema could not be migrated: {message}. Nothing was half-applied.")


async def migrate(dsn: str) -> str:
    """Run what has not run yet; returns the runner's own account of it."""
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
