"""What BMCs agreed to, and the credentials that they rejected."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000017"
VERSION = "1.38.0"
DESCRIPTION = "what BMCs agreed to and rejected"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0017_bmc_peers.sql"))
    return manager
