"""Switches and PDUs that are reached, and the VLANs of their ports."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000029"
VERSION = "1.38.0"
DESCRIPTION = "devices"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0029_devices.sql"))
    return manager
