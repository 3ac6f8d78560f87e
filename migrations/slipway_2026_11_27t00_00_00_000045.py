"""A node of a cloud tells why the cloud itself put it into maintenance."""

from piccolo.apps.migrations.auto.migration_manager import MigrationManager

from migrations import run_sql

ID = "2026-11-27T00:00:00:000045"
VERSION = "1.38.0"
DESCRIPTION = "fault of a node"


async def forwards() -> MigrationManager:
    manager = MigrationManager(migration_id=ID, app_name="slipway", description=DESCRIPTION)
    manager.add_raw(run_sql("0045_node_fault.sql"))
    return manager
