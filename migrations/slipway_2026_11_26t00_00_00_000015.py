"""Claims of the next free addresses by one statement."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000015"
VERSION = "1.38.0"
DESCRIPTION = "the next free addresses"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0015_next_free.sql"))
    return manager
