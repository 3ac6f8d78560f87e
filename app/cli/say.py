"""What commands print: plain lines in columns for people, JSON for programs."""

from collections.abc import Sequence
from datetime import datetime

import click
import msgspec

json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")


def say_json(value: object) -> None:
    """Print a value as JSON, indented."""
    click.echo(msgspec.json.format(msgspec.json.encode(value), indent=2).decode())


def say_rows(head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print rows in columns as wide as they need; nothing at all where there are none."""
    if not rows:
        return
    lines = [head, *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    for line in lines:
        padded = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(padded).rstrip())


def when(at: datetime | None) -> str:
    """Return a time as lists show it, in UTC; `-` where there is none."""
    return f"{at:%Y-%m-%d %H:%M}" if at else "-"
