"""The turns of workers at BMCs, and the credentials that BMCs rejected."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000017"
VERSION = "1.38.0"
DESCRIPTION = "turns at BMCs"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0017_bmc_turns.sql"))
    return manager
