"""`slipway run list`, `show`: runs of flows."""

from uuid import UUID

import click

from app.cli.database import with_database
from app.cli.flow.run_text import run_lines
from app.cli.flow.steer import run_argument
from app.cli.say import json_option, say_json, say_rows, when
from app.core.database import Database
from app.flows.find import find_run
from app.flows.search import RunFilter, search_runs
from app.flows.standing import find_standing
from app.flows.views import RunRow, RunStatus, Trouble
from app.routes.api.run_json import RunDetail, detail_of, line_of

LONGEST_WORDS = 60


@click.command("list")
@click.option(
    "--status",
    "statuses",
    multiple=True,
    type=click.Choice([status.value for status in RunStatus]),
    help="Only these; give it several times.",
)
@click.option("--stuck", is_flag=True, help="Only those that do not move; exit 1 if there are any.")
@click.option("--flow", default="", help="Slug of the flow.")
@click.option("--order", default="", help="Number or id of an order.")
@click.option("--client", default="", help="E-mail address or id of a client.")
@click.option("--server", default="", help="Name, serial number or id of a server.")
@click.option("--search", "words", default="", help="A part of the host or flow name.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000))
@json_option
def list_(
    *,
    statuses: tuple[str, ...],
    stuck: bool,
    flow: str,
    order: str,
    client: str,
    server: str,
    words: str,
    limit: int,
    as_json: bool,
) -> None:
    """List runs, the latest first."""
    wanted = RunFilter(
        statuses=tuple(map(RunStatus, statuses)),
        stuck=stuck,
        flow=flow,
        order=order,
        client=client,
        server=server,
        words=words,
    )

    async def verb(database: Database) -> tuple[RunRow, ...]:
        async with database.snapshot() as tx:
            return await search_runs(tx, wanted, before=None, limit=limit)

    found = with_database(verb)
    if as_json:
        say_json([line_of(row) for row in found])
    else:
        say_rows(
            ("RUN", "STATUS", "FLOW", "ORDER", "BEGAN", "STANDS AT"), [_cells(row) for row in found]
        )
    if stuck and found:
        raise SystemExit(1)


def _cells(row: RunRow) -> tuple[str, ...]:
    status = row.status.value if row.trouble is Trouble.none else row.trouble.value
    stands = f"{row.step}: {row.says}" if row.says else row.step
    words = " ".join((row.error if row.finished_at else stands).split())
    return (
        str(row.id),
        status.replace("_", " "),
        f"{row.flow_name} {row.version}",
        f"#{row.order_number}" if row.order_number else "-",
        when(row.created_at),
        words if len(words) <= LONGEST_WORDS else f"{words[: LONGEST_WORDS - 1]}…",
    )


@click.command()
@run_argument
@json_option
def show(run_id: UUID, as_json: bool) -> None:
    """Show what RUN did, step by step."""

    async def verb(database: Database) -> tuple[RunDetail, list[str]]:
        async with database.snapshot() as tx:
            found, standing = await find_run(tx, run_id), await find_standing(tx, run_id)
            return detail_of(found, standing), run_lines(found, standing, tx.now())

    detail, lines = with_database(verb)
    if as_json:
        say_json(detail)
    else:
        click.echo("\n".join(lines))
