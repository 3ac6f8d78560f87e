"""Live systems that rescue and erase, and the checks by which a server leaves quarantine."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000024"
VERSION = "1.38.0"
DESCRIPTION = "live systems"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0024_live_systems.sql"))
    return manager
