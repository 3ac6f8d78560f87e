"""Machines that a panel has by one of its plans."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000025"
VERSION = "1.38.0"
DESCRIPTION = "machine plans"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0025_machine_plans.sql"))
    return manager
