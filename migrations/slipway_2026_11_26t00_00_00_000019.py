"""What is on or off against what it should be."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000019"
VERSION = "1.38.0"
DESCRIPTION = "power drift"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0019_power_drift.sql"))
    return manager
