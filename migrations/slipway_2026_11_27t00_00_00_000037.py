"""Checks before a delivery, and a script of a product."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-27T00:00:00:000037"
VERSION = "1.38.0"
DESCRIPTION = "delivery checks"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0037_delivery_checks.sql"))
    return manager
