"""What BMCs offer is known, and a power that differs can be taken for right."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000038"
VERSION = "1.38.0"
DESCRIPTION = "consoles"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0038_consoles.sql"))
    return manager
