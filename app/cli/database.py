"""The database as a command needs it: started where it is ours, and with its tables."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import click
import uvloop

from app.core.database import Database
from app.core.migrate import migrate, require_migrated
from app.resources import Servers, start_servers
from app.settings import Settings, load_settings

T = TypeVar("T")


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


def with_database(verb: Callable[[Database], Awaitable[T]]) -> T:
    """Return what `verb` does with the open database of the settings."""
    settings = load_settings()
    _say_that_it_is_new(settings)
    servers = start_servers(settings)

    async def run() -> T:
        async with opened(settings, servers) as database:
            return await verb(database)

    try:
        return uvloop.run(run())
    finally:
        servers.stop()


def _say_that_it_is_new(settings: Settings) -> None:
    """Warn whoever meant another one: an empty database answers every question."""
    if not settings.database_url and not (settings.data_dir / "postgres").exists():
        click.echo(
            f"There was no database in {settings.data_dir}: a new, empty one is begun there. "
            "SLIPWAY_DATA_DIR or DATABASE_URL names another (`make demo` prints its own).",
            err=True,
        )
