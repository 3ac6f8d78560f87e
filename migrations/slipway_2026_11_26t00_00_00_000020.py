"""Products whose machines are virtual, and the machines of services."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000020"
VERSION = "1.38.0"
DESCRIPTION = "machines"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0020_machines.sql"))
    return manager
