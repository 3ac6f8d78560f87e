"""`slipway key`: print a new key for SLIPWAY_KEYS."""

import click

from app.core.secrets import new_key


@click.command()
def key() -> None:
    """Print a new key that seals secrets; put it first in SLIPWAY_KEYS."""
    click.echo(new_key())
