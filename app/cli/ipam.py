"""`slipway ipam`: audit the address space, take one in or out, give up a stranded name."""

import asyncio
import contextlib
from ipaddress import ip_address
from pathlib import Path

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json
from app.core.database import Database
from app.domain.addresses.arrive import Arrival, export_space, import_space
from app.domain.addresses.audit import AuditResult, audit_addresses, find_audit
from app.domain.addresses.forget_name import forget_name
from app.domain.addresses.hints import count_processes
from app.domain.addresses.seed import AddressSeed
from app.domain.addresses.sheet import csv_of
from app.domain.addresses.sheet_row import Outcome

ANSWERS_S = 60.0
"""So long it is waited for processes to answer."""
LOOK_S = 0.1
_OUTCOMES = {Outcome.new: "new", Outcome.differs: "changed", Outcome.same: "as they are"}


@click.group()
def ipam() -> None:
    """Look after the address space."""


@ipam.command()
@json_option
def audit(*, as_json: bool) -> None:
    """Name every contradiction, one a line; exit 1 when there is one.

    Processes that run compare what they remember as free, too; that takes some seconds.
    """
    result = with_database(_audit)
    if as_json:
        say_json(result)
    else:
        for drift in result.found:
            click.echo(f"{drift.kind} {drift.subject}: {drift.says}")
        compared = f"; {result.processes} processes compared" if result.processes else ""
        click.echo(f"{result.claims} claims, {len(result.found)} drifts{compared}")
    if result.found:
        raise SystemExit(1)


@ipam.command("import")
@click.argument(
    "path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
@click.option("--dry-run", is_flag=True, help="Only say what it would do.")
@click.option("--datacentre", default="", metavar="CODE", help="Of rows that name none.")
def import_(path: Path, datacentre: str, *, dry_run: bool) -> None:
    """Take prefixes and addresses in: all of FILE, or nothing of it (exit 1).

    FILE is CSV or JSON, exported here or by NetBox or phpIPAM; see docs/operations.md.
    """

    async def take(database: Database) -> Arrival:
        async with database.transaction() as tx:
            return await import_space(
                tx,
                path.read_bytes(),
                datacentre=datacentre,
                dry_run=dry_run,
                actor=None,
                actor_label="slipway ipam import",
            )

    arrival = with_database(take)
    for row in arrival.rows:
        words = [*map(str, row.faults)] or [word for word in (row.note, *row.changes) if word]
        if words:
            click.echo(f"row {row.number} {row.text}: {'; '.join(words)}")
    counts = f"{arrival.prefixes} prefixes, {arrival.addresses} addresses"
    if arrival.faults:
        click.echo(f"Nothing was changed; rows in error: {len(arrival.faults)}.")
        raise SystemExit(1)
    outcomes = ", ".join(f"{len(arrival.of(one))} {words}" for one, words in _OUTCOMES.items())
    click.echo(f"{counts} {'taken in' if arrival.is_kept else 'could be taken in'}: {outcomes}")


@ipam.command()
@click.option("--csv", "as_csv", is_flag=True, help="Prefixes alone, as CSV.")
def export(*, as_csv: bool) -> None:
    """Print the whole tree as JSON, with its VRFs and VLAN groups; `import` reads it back."""
    space = with_database(_export)
    if as_csv:
        click.echo(csv_of(space.prefixes), nl=False)
    else:
        say_json(space)


async def _export(database: Database) -> AddressSeed:
    async with database.snapshot() as tx:
        return await export_space(tx)


async def _audit(database: Database) -> AuditResult:
    async with database.transaction() as tx:
        asked = await count_processes(tx)
        result = await audit_addresses(tx)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(ANSWERS_S), database.snapshot() as tx:
            while result.processes < asked:
                await asyncio.sleep(LOOK_S)
                result = await find_audit(tx, result.id)
    return result


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
