"""`slipway run export` and `replay`: whether a release would do what a recorded run did."""

import asyncio
from pathlib import Path
from uuid import UUID

import click
import msgspec

from app.cli.database import with_database
from app.cli.flow.steer import run_argument
from app.cli.say import json_option, say_json
from app.core.database import Database
from app.flows.dryrun.keep import read_written, written
from app.flows.dryrun.recording import Recording, read_recording
from app.flows.dryrun.replay import Difference, replay

LONGEST_VALUE = 200


@click.command("export")
@run_argument
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def export_(run_id: UUID, output: Path | None) -> None:
    """Print RUN as a recording, its secrets hidden; `slipway run replay` takes the file."""
    text = written(_recorded(run_id))
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text)


@click.command("replay")
@click.argument("run_or_file", metavar="RUN_OR_FILE")
@json_option
def replay_(run_or_file: str, as_json: bool) -> None:
    """Drive a recorded run again, without any effect; exit 1 if anything would differ."""
    path = Path(run_or_file)
    recording = (
        read_written(path.read_bytes())
        if path.is_file()
        else _recorded(click.UUID.convert(run_or_file, None, None))
    )
    found = asyncio.run(replay(recording))
    if as_json:
        say_json(found)
    else:
        for one in found.differences:
            click.echo(_line(one))
        cut = " It took too long to look at all of it." if found.is_cut else ""
        same = "the same" if found.is_same else f"{len(found.differences)} differences"
        click.echo(f"{found.flow}: {found.steps} steps, {same}.{cut}")
    if not found.is_same or found.is_cut:
        raise SystemExit(1)


def _recorded(run: UUID) -> Recording:
    async def verb(database: Database) -> Recording:
        async with database.snapshot() as tx:
            return await read_recording(tx, run)

    return with_database(verb)


def _line(one: Difference) -> str:
    where = f"{one.scope.rstrip('/')}/{one.node} attempt {one.attempt}"
    field = f" {one.field}" if one.field else ""
    return f"{where}: {one.what}{field}: recorded {_value(one.recorded)}, now {_value(one.now)}"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
