"""Machines that are installed from an ISO."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-27T00:00:00:000040"
VERSION = "1.38.0"
DESCRIPTION = "machines from an iso"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0040_iso.sql"))
    return manager
