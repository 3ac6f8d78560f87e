"""`slipway dhcp`: tell Kea which network card gets which address."""

import asyncio
import os
import tempfile
from pathlib import Path

import click
import msgspec

from app.cli.database import with_database
from app.core.database import Database
from app.domain.services.dhcp_hosts import dhcp_plan
from app.drivers.dhcp.contract import DhcpPlan
from app.drivers.dhcp.kea import classes_of, subnets_of
from app.drivers.dhcp.kea_socket import KeaSocket
from app.drivers.errors import DriverError
from app.settings import load_settings

READABLE = 0o644


@click.group()
def dhcp() -> None:
    """Export host reservations for a DHCP server."""


_datacentre = click.option(
    "--datacentre", default="", metavar="CODE", help="Only its networks; else all."
)


@dhcp.command("export")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@_datacentre
def export(folder: Path, datacentre: str) -> None:
    """Write slipway-subnets.json and slipway-classes.json into FOLDER, for Kea to include.

    Exit 0 and `changed` or `as it is`, so that a script knows whether Kea has to read them again.
    """
    plan = with_database(lambda database: _plan(database, datacentre))
    changed = [
        _written(folder / "slipway-subnets.json", subnets_of(plan)),
        _written(folder / "slipway-classes.json", classes_of(plan)),
    ]
    _say(plan, changed=any(changed))


@dhcp.command("push")
@click.argument("socket", type=click.Path(path_type=Path))
@_datacentre
@click.option("--keep", is_flag=True, help="Have Kea write its own file, too.")
def push(socket: Path, datacentre: str, *, keep: bool) -> None:
    """Tell the Kea server at its control SOCKET; what others configured there stays."""
    plan = with_database(lambda database: _plan(database, datacentre))

    async def tell() -> bool:
        server = KeaSocket(socket)
        changed = await server.push(plan)
        if keep:
            await server.keep()
        return changed

    try:
        changed = asyncio.run(tell())
    except DriverError as error:
        raise click.ClickException(str(error)) from error
    _say(plan, changed=changed)


async def _plan(database: Database, datacentre: str) -> DhcpPlan:
    settings = load_settings()
    async with database.snapshot() as tx:
        return await dhcp_plan(
            tx,
            base_url=settings.base_url,
            has_boot_file=bool(settings.ipxe_efi_path),
            nameservers=settings.nameserver_list,
            datacentre=datacentre,
        )


def _written(path: Path, told: object) -> bool:
    """Put a file in place at once, for a server that reads meanwhile; False where it was so."""
    raw = msgspec.json.format(msgspec.json.encode(told), indent=2) + b"\n"
    if path.exists() and path.read_bytes() == raw:
        return False
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=path.name, delete=False) as new:
        new.write(raw)
        os.fchmod(new.fileno(), READABLE)
    Path(new.name).replace(path)
    return True


def _say(plan: DhcpPlan, *, changed: bool) -> None:
    told = f"{len(plan.subnets)} subnets, {plan.hosts} hosts"
    click.echo(f"{told}: {'changed' if changed else 'as it is'}")
