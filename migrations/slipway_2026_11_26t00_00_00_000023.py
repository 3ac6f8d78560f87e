"""Clouds of bare metal, and the servers that they have."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000023"
VERSION = "1.38.0"
DESCRIPTION = "metal"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0023_metal.sql"))
    return manager
