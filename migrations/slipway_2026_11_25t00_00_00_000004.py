"""Drafts of flows and the gestures that made them."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-25T00:00:00:000004"
VERSION = "1.38.0"
DESCRIPTION = "flow drafts"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0004_flow_drafts.sql"))
    return manager
