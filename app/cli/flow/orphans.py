"""`slipway run orphans`: what ended runs left behind."""

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json, say_rows, when
from app.core.database import Database
from app.flows.orphans import Orphan, find_orphans


@click.command()
@json_option
def orphans(*, as_json: bool) -> None:
    """List what ended runs left behind; exit 1 when there is anything. Nothing is changed."""

    async def verb(database: Database) -> tuple[Orphan, ...]:
        async with database.snapshot() as tx:
            return await find_orphans(tx)

    found = with_database(verb)
    if as_json:
        say_json(found)
    else:
        say_rows(
            ("KIND", "WHAT", "ORDER", "RUN", "ENDED", "WHY"),
            [
                (
                    one.kind.value,
                    one.reference,
                    f"#{one.order_number}" if one.order_number else "-",
                    str(one.run),
                    when(one.ended_at),
                    one.words,
                )
                for one in found
            ],
        )
    if found:
        raise SystemExit(1)
