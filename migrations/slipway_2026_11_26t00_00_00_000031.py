"""The disks of a server are divided as its product says."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000031"
VERSION = "1.38.0"
DESCRIPTION = "disk layouts"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0031_disk_layouts.sql"))
    return manager
