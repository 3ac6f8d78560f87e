"""What an order claims is written without a look before, and its history has fewer indexes."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-27T00:00:00:000047"
VERSION = "1.38.0"
DESCRIPTION = "claim plainly"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0047_claim_plainly.sql"))
    return manager
