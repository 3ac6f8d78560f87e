"""A server may be booted by UEFI's HTTP boot."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-27T00:00:00:000048"
VERSION = "1.38.0"
DESCRIPTION = "http boot"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0048_http_boot.sql"))
    return manager
