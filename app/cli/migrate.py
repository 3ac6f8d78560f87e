"""`slipway migrate`: bring the database's schema up to date."""

import click
import uvloop

from app.core.migrate import migrate as run_migrations
from app.resources import start_servers
from app.settings import load_settings


@click.command()
def migrate() -> None:
    """Bring the schema up to date; safe to run again and from several machines at once."""
    servers = start_servers(load_settings())
    try:
        click.echo(uvloop.run(run_migrations(servers.database_url)).strip())
    finally:
        servers.stop()
