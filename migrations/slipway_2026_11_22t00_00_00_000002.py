"""A server remembers whether a client's data may be on its disks."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-22T00:00:00:000002"
VERSION = "1.38.0"
DESCRIPTION = "server data"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0002_server_data.sql"))
    return manager
