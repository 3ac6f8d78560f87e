"""The `python -m lab` command."""

import asyncio
import logging
import signal
from pathlib import Path
from typing import Any

import click

from lab import client, parent

FOLDER = click.Path(path_type=Path, file_okay=False)


@click.group()
def main() -> None:
    """Run the simulated datacentre of Slipway."""


@main.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="Where everything is kept.")
@click.option("--slipway-url", required=True, help="Where machines find /netboot/ipxe.")
@click.option("--speed", type=float, default=60.0, show_default=True,
              help="Hardware seconds per second.")  # fmt: skip
@click.option("--machines", type=click.IntRange(1, 1_000), default=24, show_default=True)
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Web port; 0: a free one.")
@click.option("--smtp-port", type=click.IntRange(0, 65_535), default=0, help="0: a free one.")
@click.option("--ssh-port", type=click.IntRange(1, 65_535), default=2222, show_default=True,
              help="Port of every installed machine, on its own address.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True)
@click.option("--die-with-parent", is_flag=True, help="Linux: end when the starter ends.")
def serve(  # noqa: PLR0917 - click passes one argument an option
    folder: Path,
    slipway_url: str,
    speed: float,
    machines: int,
    port: int,
    smtp_port: int,
    ssh_port: int,
    seed: int,
    die_with_parent: bool,
) -> None:
    """Run the datacentre until SIGTERM or SIGINT; prints `lab ready URL` when it serves."""
    from lab import server
    from lab.datacentre import LabDown, Wanted
    from lab.pace import checked_speed
    from lab.store import FolderInUse, Store

    if die_with_parent:
        parent.die_with_parent(signal.SIGTERM)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    logging.getLogger("mail.log").setLevel(logging.WARNING)
    try:
        checked_speed(speed)
        store = Store(folder)
    except (ValueError, FolderInUse, OSError) as problem:
        raise click.ClickException(str(problem)) from None
    wanted = Wanted(folder, slipway_url, speed, machines, port, smtp_port, ssh_port, seed)
    try:
        asyncio.run(server.serve(wanted, store))
    except LabDown as problem:
        raise click.ClickException(str(problem)) from None
    finally:
        store.close()


@main.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("machine")
@click.argument("fault", metavar="FAULT|clear")
def fault(folder: Path, machine: str, fault: str) -> None:
    """Break MACHINE of the lab in DIR, or mend it with `clear`.

    Faults: hang, refuse, wrong-password, ignore-reset, revert-boot, slow[:SECONDS],
    install-fails:STEP, never-calls-back.
    """
    wanted = None if fault == "clear" else fault
    answer = _call(folder, "POST", f"/api/machines/{machine}/fault", {"fault": wanted})
    click.echo(f"{machine}: {answer['fault'] or 'no fault'}")


@main.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("machine")
@click.argument("power", type=click.Choice(["on", "off"]))
def power(folder: Path, machine: str, power: str) -> None:
    """Switch MACHINE of the lab in DIR by hand, which nobody tells Slipway; off pulls the plug."""
    _call(folder, "POST", f"/api/machines/{machine}/power", {"power": power})
    click.echo(f"{machine}: switched {power}")


@main.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
def status(folder: Path) -> None:
    """Show the machines of the lab in DIR."""
    for machine in _call(folder, "GET", "/api/machines"):
        broken = f"  [{machine['fault']}]" if machine["fault"] else ""
        click.echo(
            f"{machine['name']:<16} {machine['power']:<4} {machine['phase']:<11} "
            f"{machine['doing']}{broken}"
        )


@main.command("mail-down")
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("mode", type=click.Choice(["off", "on", "refuse"]))
def mail_down(folder: Path, mode: str) -> None:
    """Break the mail server of the lab in DIR: on (answers 451), refuse, or off."""
    _call(folder, "POST", "/api/mail-down", {"mail_down": mode})
    click.echo(f"mail-down {mode}")


@main.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("speed", type=float)
def speed(folder: Path, speed: float) -> None:
    """Change the speed of the lab in DIR."""
    click.echo(f"speed {_call(folder, 'POST', '/api/speed', {'speed': speed})['speed']:g}")


def _call(folder: Path, method: str, path: str, document: dict[str, object] | None = None) -> Any:
    try:
        return client.call(folder, method, path, document)
    except client.NoLab as problem:
        raise click.ClickException(str(problem)) from None
