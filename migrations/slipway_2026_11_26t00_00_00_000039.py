"""Game servers are watched, and what they use is kept."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000039"
VERSION = "1.38.0"
DESCRIPTION = "game watch"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0039_game_watch.sql"))
    return manager
