"""Audits that processes answer with what their index says differently."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000021"
VERSION = "1.38.0"
DESCRIPTION = "compared indexes"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0021_compared_indexes.sql"))
    return manager
