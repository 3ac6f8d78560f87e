"""`slipway run replay`: whether this release would do what a recorded run did."""

from uuid import UUID

import click
import msgspec

from app.cli.database import with_database
from app.cli.say import json_option, say_json
from app.core.database import Database
from app.flows.dryrun.replay import Difference, Replay, replay_run

LONGEST_VALUE = 200


@click.command()
@click.argument("run_id", metavar="RUN", type=click.UUID)
@json_option
def replay(run_id: UUID, as_json: bool) -> None:
    """Drive RUN again by its record, without any effect; exit 1 if anything would differ."""

    async def verb(database: Database) -> Replay:
        async with database.snapshot() as tx:
            return await replay_run(tx, run_id)

    found = with_database(verb)
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


def _line(one: Difference) -> str:
    where = f"{one.scope.rstrip('/')}/{one.node} attempt {one.attempt}"
    field = f" {one.field}" if one.field else ""
    return f"{where}: {one.what}{field}: recorded {_value(one.recorded)}, now {_value(one.now)}"


def _value(value: object) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
