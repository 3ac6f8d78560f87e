"""Game servers at panels, and products that a flow alone delivers."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-26T00:00:00:000026"
VERSION = "1.38.0"
DESCRIPTION = "game servers"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0026_game_servers.sql"))
    return manager
