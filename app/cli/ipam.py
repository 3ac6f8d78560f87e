"""`slipway ipam`: audit the address space; give up a name whose server is gone."""

from ipaddress import ip_address

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json
from app.core.database import Database
from app.domain.addresses.audit import AddressAudit, audit_addresses
from app.domain.addresses.forget_name import forget_name


@click.group()
def ipam() -> None:
    """Look after the address space."""


@ipam.command()
@json_option
def audit(*, as_json: bool) -> None:
    """Name every contradiction, one a line; exit 1 when there is one."""
    result = with_database(_audit)
    if as_json:
        say_json(result)
    else:
        for drift in result.found:
            click.echo(f"{drift.kind} {drift.subject}: {drift.says}")
        click.echo(f"{result.claims} claims, {len(result.found)} drifts")
    if result.found:
        raise SystemExit(1)


async def _audit(database: Database) -> AddressAudit:
    async with database.transaction() as tx:
        return await audit_addresses(tx)


@ipam.command("forget-name")
@click.argument("address")
def forget(address: str) -> None:
    """Give up removing the old host name of ADDRESS from a name server that is gone for good.

    Until then the address is not free. Check that nobody serves the record any more.
    """
    try:
        found = ip_address(address)
    except ValueError as error:
        raise click.UsageError(f"{address} is no address") from error

    async def run(database: Database) -> None:
        async with database.transaction() as tx:
            await forget_name(tx, found, actor=None, actor_label="slipway ipam forget-name")

    with_database(run)
    click.echo(f"The old name of {found} is forgotten.")
