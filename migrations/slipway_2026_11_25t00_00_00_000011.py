"""The PTR records of addresses, and the look at an address before it is handed out."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-25T00:00:00:000011"
VERSION = "1.38.0"
DESCRIPTION = "reverse DNS"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0011_reverse_dns.sql"))
    return manager
