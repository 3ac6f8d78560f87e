"""`slipway ipam audit`: compare addresses with orders, services and prefixes."""

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json
from app.core.database import Database
from app.domain.addresses.audit import AddressAudit, audit_addresses


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
