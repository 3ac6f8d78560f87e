"""`slipway flow start`: queue a run by hand."""

from typing import Any
from uuid import UUID

import click

from app.cli.database import with_database
from app.cli.flow.json_value import JsonValue
from app.core.database import Database, Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.flows.by_hand import start_by_hand
from app.flows.node import Subject
from app.flows.steer import By

ABOUT = [kind.value for kind in Subject if kind is not Subject.NOTHING]


@click.command()
@click.argument("slug")
@click.option(
    "--input",
    "data",
    type=JsonValue(is_object=True),
    default="{}",
    help="A JSON object, or @FILE, or @- for standard input.",
)
@click.option("--order", help="Number or id of the order that it is about.")
@click.option(
    "--about",
    nargs=2,
    type=click.Tuple([click.Choice(ABOUT), click.UUID]),
    help="Kind and id of what it is about.",
)
@click.option("--version", type=click.IntRange(min=1), help="The latest if not given.")
@click.option("--key", help="Start it once for this key, however often it is asked for.")
def start(
    *,
    slug: str,
    data: dict[str, Any],
    order: str | None,
    about: tuple[str, UUID] | None,
    version: int | None,
    key: str | None,
) -> None:
    """Queue a run of the flow SLUG, and print its id."""
    if order is not None and about is not None:
        raise click.UsageError("Give either --order or --about.")

    async def verb(database: Database) -> UUID:
        async with database.transaction() as tx:
            kind, subject = about or (Subject.NOTHING.value, None)
            if order is not None:
                kind, subject = Subject.ORDER.value, await _order(tx, order)
            return await start_by_hand(
                tx,
                slug,
                data=data,
                dedup_key=f"cli:{key or new_id()}",
                subject=subject,
                subject_kind=Subject(kind),
                number=version,
                by=By(None, "slipway flow start"),
            )

    click.echo(with_database(verb))


async def _order(tx: Tx, words: str) -> UUID:
    found: UUID | None = await tx.fetchval(
        "SELECT id FROM client_order WHERE $1 IN (id::text, number::text)",
        words.strip().removeprefix("#"),
    )
    if found is None:
        raise NotFound("order", words)
    return found
