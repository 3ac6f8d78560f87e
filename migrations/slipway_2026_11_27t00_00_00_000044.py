"""The address space has a version, by which a process knows that it remembers it rightly."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-27T00:00:00:000044"
VERSION = "1.38.0"
DESCRIPTION = "address space version"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0044_address_space_version.sql"))
    return manager
