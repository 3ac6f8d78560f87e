"""Servers are enrolled, adopted and inspected at clouds of bare metal."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000036"
VERSION = "1.38.0"
DESCRIPTION = "metal errands"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0036_metal_errands.sql"))
    return manager
