"""The `python -m lab.payments` command."""

import asyncio
import ctypes
import json
import logging
import os
import signal
import sys
import urllib.error
import urllib.request
from pathlib import Path

import click

from lab.payments.account import READY_FILE, FolderInUse, keys_of, lock
from lab.payments.relay import Mode

PR_SET_PDEATHSIG = 1
LIMIT_S = 10.0
FOLDER = click.Path(path_type=Path, file_okay=False)
MODE = click.Choice([str(mode) for mode in Mode])


@click.group()
def main() -> None:
    """Run the stand-in of Stripe that Slipway's demo and tests pay with."""


@main.command()
@click.option("--dir", "folder", type=FOLDER, required=True, help="Where everything is kept.")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="Web port; 0: a free one.")
@click.option("--webhook-url", required=True, help="Slipway's /webhooks/stripe.")
@click.option("--webhook-secret", required=True, help="What webhooks are signed with: whsec_…")
@click.option("--webhooks", type=MODE, default="on-time", show_default=True,
              help="Whether webhooks arrive.")  # fmt: skip
@click.option("--die-with-parent", is_flag=True, help="Linux: end when the starter ends.")
def serve(  # noqa: PLR0917 - click passes one argument an option
    folder: Path,
    port: int,
    webhook_url: str,
    webhook_secret: str,
    webhooks: str,
    die_with_parent: bool,
) -> None:
    """Serve until SIGTERM or SIGINT; prints `payments ready URL` when it does."""
    from lab.payments import server

    if die_with_parent:
        _die_with_parent()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    try:
        held = lock(folder)
    except (FolderInUse, OSError) as problem:
        raise click.ClickException(str(problem)) from None
    wanted = server.Wanted(folder, port, webhook_url, webhook_secret, Mode(webhooks))
    with held:
        try:
            asyncio.run(server.serve(wanted, keys_of(folder)))
        except server.PaymentsDown as problem:
            raise click.ClickException(str(problem)) from None


@main.command()
@click.argument("folder", metavar="DIR", type=FOLDER)
@click.argument("mode", type=MODE)
def webhooks(folder: Path, mode: str) -> None:
    """Have the webhooks of the payments in DIR arrive on time, late, twice, or get lost."""
    try:
        url = json.loads((folder / READY_FILE).read_bytes())["url"]
    except (OSError, ValueError, KeyError):
        raise click.ClickException(f"No payments run in {folder}.") from None
    request = urllib.request.Request(  # noqa: S310 - the URL is the stand-in's own
        f"{url}/api/webhooks", data=json.dumps({"mode": mode}).encode(), method="POST"
    )
    # It is on loopback: no proxy of the environment may stand between.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=LIMIT_S) as answer:
            click.echo(f"webhooks {json.load(answer)['mode']}")
    except (urllib.error.URLError, OSError) as problem:
        raise click.ClickException(f"{url} does not answer: {problem}") from None


def _die_with_parent() -> None:
    if sys.platform != "linux":
        return
    parent = os.getppid()
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:
        raise SystemExit(1)
