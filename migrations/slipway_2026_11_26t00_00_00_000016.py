"""What is kept back when a claim by hand or a cool-down ends; names of claims by hand."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000016"
VERSION = "1.38.0"
DESCRIPTION = "what is kept back later, names of claims by hand"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0016_kept_back.sql"))
    return manager
