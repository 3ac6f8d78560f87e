"""The database as a command needs it: started where it is ours, and with its tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.core.database import Database
from app.core.migrate import migrate, require_migrated
from app.resources import Servers
from app.settings import Settings


async def bring_up_to_date(settings: Settings, servers: Servers, database: Database) -> None:
    """Migrate the embedded database; one of the operator's own is migrated by hand."""
    if settings.database_url:
        await require_migrated(database)
    else:
        await migrate(servers.database_url)


@asynccontextmanager
async def opened(settings: Settings, servers: Servers) -> AsyncIterator[Database]:
    """Yield an open database whose tables are there."""
    database = Database()
    await database.open(servers.database_url, max_size=4)
    try:
        await bring_up_to_date(settings, servers, database)
        yield database
    finally:
        await database.close()
