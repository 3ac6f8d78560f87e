"""Priorities of waiting orders, what came of serving them together, and the course of the stock."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000013"
VERSION = "1.38.0"
DESCRIPTION = "allocation"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0013_allocation.sql"))
    return manager
