"""`slipway user create`: an account made by hand, for the first owner and for staff."""

import click
import uvloop

from app.cli.database import opened
from app.domain.accounts.create_user import create_user
from app.domain.accounts.details import Details
from app.domain.accounts.roles import Role
from app.resources import Servers, start_servers
from app.settings import Settings, load_settings


@click.group()
def user() -> None:
    """Manage accounts."""


@user.command()
@click.argument("email")
@click.option("--name", required=True, help="Name of the person.")
@click.option("--country", default="", help="ISO 3166 code such as NL; clients need one for tax.")
@click.option("--role", type=click.Choice([role.value for role in Role]), default=Role.OWNER.value)
@click.password_option(help="At least 10 characters; asked for when not given.")
def create(email: str, name: str, country: str, role: str, password: str) -> None:
    """Create the account EMAIL."""
    settings = load_settings()
    servers = start_servers(settings)
    try:
        details = Details(name=name, country=country)
        uvloop.run(_create(settings, servers, email, details, Role(role), password))
    finally:
        servers.stop()
    click.echo(f"{email} can sign in as {role}.")


async def _create(  # noqa: PLR0917 - the command's own arguments
    settings: Settings, servers: Servers, email: str, details: Details, role: Role, password: str
) -> None:
    async with opened(settings, servers) as database, database.transaction() as tx:
        await create_user(
            tx,
            email=email,
            password=password,
            details=details,
            role=role,
            actor_label="slipway user create",
        )
