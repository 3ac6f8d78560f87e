"""What providers of virtual machines say of all their machines, and how that differs from ours."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000027"
VERSION = "1.38.0"
DESCRIPTION = "machine watch"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0027_machine_watch.sql"))
    return manager
