"""Rehearsals: what was found of a flow, and its score."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-25T00:00:00:000008"
VERSION = "1.38.0"
DESCRIPTION = "rehearsals"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0008_rehearsals.sql"))
    return manager
