"""Triggers of flows: what listens, and what webhooks delivered."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-25T00:00:00:000005"
VERSION = "1.38.0"
DESCRIPTION = "triggers"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0005_triggers.sql"))
    return manager
