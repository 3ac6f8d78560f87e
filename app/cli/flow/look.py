"""`slipway flow list`, `history`, `export`, `diff`: flows and their versions."""

from pathlib import Path

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json, say_rows, when
from app.core.database import Database
from app.flows.diff import Diff, diff, lines
from app.flows.find_flows import diff_versions, find_flow, find_version, list_flows
from app.flows.flow_views import FlowRow, FlowView, VersionView
from app.flows.transfer import export, read
from app.flows.views import RunStatus
from app.routes.api.flow_json import counted_version, flow_line, version_diff


@click.command("list")
@json_option
def list_(as_json: bool) -> None:
    """List the flows that are published, with what became of their runs in 30 days."""

    async def verb(database: Database) -> tuple[FlowRow, ...]:
        async with database.snapshot() as tx:
            return await list_flows(tx)

    found = with_database(verb)
    if as_json:
        say_json([flow_line(row) for row in found])
        return
    say_rows(
        ("FLOW", "VERSION", "STARTS ON", "SERVES", "LIVE", "OK", "FAILED", "STATE"),
        [_cells(row) for row in found],
    )


def _cells(row: FlowRow) -> tuple[str, ...]:
    return (
        row.slug,
        str(row.version),
        row.trigger or "-",
        ",".join(one.category_slug for one in row.bindings) or "-",
        str(row.live),
        str(row.runs[RunStatus.succeeded]),
        str(row.runs[RunStatus.failed]),
        "enabled" if row.is_enabled else "disabled",
    )


@click.command()
@click.argument("slug")
@json_option
def history(slug: str, as_json: bool) -> None:
    """Show the versions of the flow SLUG, the latest first."""

    async def verb(database: Database) -> FlowView:
        async with database.snapshot() as tx:
            return await find_flow(tx, slug)

    found = with_database(verb)
    if as_json:
        say_json([counted_version(row) for row in found.versions])
        return
    say_rows(
        ("VERSION", "PUBLISHED", "BY", "RUNS", "LIVE", "NOTE"),
        [
            (
                str(row.number),
                when(row.published_at),
                row.published_by or "-",
                str(row.runs),
                str(row.live),
                " ".join(row.note.split()),
            )
            for row in found.versions
        ],
    )


@click.command("export")
@click.argument("slug")
@click.option("--version", type=click.IntRange(min=1), help="The latest if not given.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), help="File to write.")
def export_(slug: str, version: int | None, output: Path | None) -> None:
    """Print the document of the flow SLUG as a file; the same document is the same text."""
    text = export(with_database(lambda database: _version(database, slug, version)).document)
    if output is None:
        click.echo(text, nl=False)
    else:
        output.write_text(text)


@click.command("diff")
@click.argument("slug_or_file")
@click.argument("before", type=click.IntRange(min=1), required=False)
@click.argument("after", type=click.IntRange(min=1), required=False)
@click.option("--exit-code", is_flag=True, help="Exit 1 when there are differences.")
@json_option
def diff_(
    slug_or_file: str, before: int | None, after: int | None, exit_code: bool, as_json: bool
) -> None:
    """Show what differs between the versions BEFORE and AFTER of a flow.

    Without AFTER, the latest is the later one; without both, it is the one before the latest.
    With a FILE in place of a flow's slug, what publishing it would change.
    """
    path = Path(slug_or_file)
    changes = (
        _of_file(path, before) if path.is_file() else _of_versions(slug_or_file, before, after)
    )
    if as_json:
        say_json(version_diff(changes))
    else:
        for line in lines(changes):
            click.echo(line)
    if exit_code and not changes.is_empty:
        raise SystemExit(1)


def _of_file(path: Path, version: int | None) -> Diff:
    document = read(path.read_bytes())
    there = with_database(lambda database: _version(database, document.flow, version))
    return diff(there.document, document)


def _of_versions(slug: str, before: int | None, after: int | None) -> Diff:
    async def verb(database: Database) -> Diff:
        async with database.snapshot() as tx:
            first = before
            if first is None:
                first = max(1, (await find_version(tx, slug)).row.number - 1)
            return await diff_versions(tx, slug, first, after)

    return with_database(verb)


async def _version(database: Database, slug: str, number: int | None) -> VersionView:
    async with database.snapshot() as tx:
        return await find_version(tx, slug, number)
