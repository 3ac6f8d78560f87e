"""Whether a game server runs is known."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000033"
VERSION = "1.38.0"
DESCRIPTION = "game power"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0033_game_power.sql"))
    return manager
