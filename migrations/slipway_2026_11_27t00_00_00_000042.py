"""Servers are burned in, and what came of it is kept."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-27T00:00:00:000042"
VERSION = "1.38.0"
DESCRIPTION = "burn in"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0042_burn_in.sql"))
    return manager
