"""What clouds of bare metal say of their nodes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000035"
VERSION = "1.38.0"
DESCRIPTION = "cloud watch"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0035_cloud_watch.sql"))
    return manager
