"""The tree of prefixes, reservations, the history of addresses, and their audits."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-25T00:00:00:000010"
VERSION = "1.38.0"
DESCRIPTION = "address space"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0010_address_space.sql"))
    return manager
