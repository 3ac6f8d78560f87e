"""`slipway flow dry-run` and `rehearse`: what a flow would do, before it is trusted."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import UUID

import click
import msgspec

from app.cli.database import with_database
from app.cli.say import json_option, say_json, say_rows
from app.core.database import Database
from app.flows.document import Document, parse
from app.flows.dryrun.given import Given
from app.flows.dryrun.of_flow import dry_run_of, given_for
from app.flows.dryrun.rehearse import Rehearsal
from app.flows.dryrun.rehearse import rehearse as rehearse_document
from app.flows.dryrun.result import DryRun, EffectLine, Ended, PathStep
from app.flows.dryrun.score import keep_rehearsal
from app.flows.find_flows import find_version
from app.flows.predict import Expected

WELL = (Ended.succeeded, Ended.until)
BY = "slipway flow rehearse"
LONGEST_WORDS = 70


class JsonText(click.ParamType[Any]):
    """A JSON object, or `@FILE` with one."""

    name = "json"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        try:
            text = Path(value[1:]).read_text() if value.startswith("@") else value
            return msgspec.json.decode(text, type=dict[str, Any])
        except (OSError, msgspec.MsgspecError) as error:
            self.fail(f"{value[:60]!r} is no JSON object: {error}", param, ctx)


class Choice(click.ParamType[tuple[str, str]]):
    """`NODE=PORT`."""

    name = "node=port"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if not isinstance(value, str):
            return value
        node, found, port = value.partition("=")
        if not found or not node or not port:
            self.fail(f"{value[:60]!r} is not NODE=PORT", param, ctx)
        return node, port


flow_argument = click.argument("slug_or_file", metavar="SLUG|FILE")
version_option = click.option(
    "--version", type=click.IntRange(min=1), help="Of the flow SLUG; the latest if not given."
)
input_option = click.option("--input", "data", type=JsonText(), help="The run's input, or @FILE.")
pins_option = click.option(
    "--pins",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="A JSON file with outputs by node; a node that has one is not done.",
)
run_option = click.option("--run", "run", type=click.UUID, help="A recorded run that answers.")
seed_option = click.option("--seed", default="", help="Other made-up data for another seed.")


@click.command("dry-run")
@flow_argument
@version_option
@input_option
@pins_option
@click.option(
    "--choose",
    "choices",
    multiple=True,
    type=Choice(),
    metavar="NODE=PORT",
    help="The port by which a node leaves: rejected, timeout, error; several times.",
)
@click.option("--until", default="", metavar="NODE", help="Stop after this node.")
@click.option("--only", default="", metavar="NODE", help="Do this node alone, on sample data.")
@run_option
@seed_option
@json_option
def dry_run(
    *,
    slug_or_file: str,
    version: int | None,
    data: Mapping[str, Any] | None,
    pins: Path | None,
    choices: tuple[tuple[str, str], ...],
    until: str,
    only: str,
    run: UUID | None,
    seed: str,
    as_json: bool,
) -> None:
    """Show what the flow SLUG, or the document in FILE, would do; nothing is really done.

    Exit 1 when it does not end well or something is wrong with it.
    """
    given = Given(
        input=data, pins=_pins(pins), choose=dict(choices), until=until, only=only, seed=seed
    )

    async def verb(database: Database) -> DryRun:
        async with database.snapshot() as tx:
            document = await _document(database, slug_or_file, version)
            return await dry_run_of(tx, document, given, run=run)

    found = with_database(verb)
    if as_json:
        say_json(found)
    else:
        _say_dry_run(found)
    if found.ended not in WELL or any(problem.is_error for problem in found.problems):
        raise SystemExit(1)


@click.command()
@flow_argument
@version_option
@input_option
@pins_option
@run_option
@seed_option
@click.option("--all", "shows_all", is_flag=True, help="List the faults that it survives, too.")
@click.option("--least", type=click.IntRange(0, 100), default=0, help="Exit 1 below this score.")
@json_option
def rehearse(
    *,
    slug_or_file: str,
    version: int | None,
    data: Mapping[str, Any] | None,
    pins: Path | None,
    run: UUID | None,
    seed: str,
    shows_all: bool,
    least: int,
    as_json: bool,
) -> None:
    """Let each step of the flow SLUG, or of the document in FILE, fail in every way.

    The score is kept with the content. Exit 1 when a fault makes it go bad, or below --least.
    """
    given = Given(input=data, pins=_pins(pins), seed=seed)

    async def verb(database: Database) -> Rehearsal:
        document = await _document(database, slug_or_file, version)
        async with database.snapshot() as tx:
            whole = await given_for(tx, given, run)
        report = await rehearse_document(document, whole)
        async with database.transaction() as tx:
            await keep_rehearsal(tx, report, by_label=BY)
        return report

    report = with_database(verb)
    if as_json:
        say_json(report)
    else:
        _say_rehearsal(report, shows_all=shows_all)
    if report.counts["bad"] or report.baseline is not Ended.succeeded or report.score < least:
        raise SystemExit(1)


def _pins(path: Path | None) -> dict[str, Any]:
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise click.ClickException(f"{path} has no JSON object: {error}") from error


async def _document(database: Database, slug_or_file: str, version: int | None) -> Document:
    path = Path(slug_or_file)
    if path.is_file():
        return parse(path.read_bytes())
    async with database.snapshot() as tx:
        return (await find_version(tx, slug_or_file, version)).document


def _say_dry_run(found: DryRun) -> None:
    for problem in found.problems:
        where = f"{problem.node or 'flow'}.{problem.field}".rstrip(".")
        click.echo(f"{'problem' if problem.is_error else 'warning'}  {where}: {problem.message}")
    say_rows(("AT", "STEP", "SCOPE", "LEFT BY", "DATA"), [_cells(step) for step in found.path])
    if found.effects:
        click.echo("\nWhat it would do:")
    for line in found.effects:
        click.echo(f"  {_effect(line)}")
    click.echo(f"\n{_ended(found)}")


def _cells(step: PathStep) -> tuple[str, ...]:
    left = step.port or (f"failed: {step.error}" if step.error else step.status)
    again = f" (attempt {step.attempt})" if step.attempt > 1 else ""
    return f"{step.at_s:g}s", f"{step.name}{again}", step.scope, _short(left), step.origin


def _effect(line: EffectLine) -> str:
    taken = [f"takes {one.kind}" for one in line.takes if not line.is_undo]
    returned = [f"gives back {one.kind}" for one in line.returns]
    facts = [*taken, *returned, *(["delivers what was taken"] if line.delivers else [])]
    return line.says + (f" [{', '.join(facts)}]" if facts else "")


def _ended(found: DryRun) -> str:
    words = f"It ended as {found.ended.value.replace('_', ' ')} after {found.steps} steps"
    words += f": {found.error}" if found.error else ""
    if found.held:
        kinds = ", ".join(sorted({one.kind for one in found.held}))
        words += f". Still taken: {kinds}"
    whole: Expected | None = found.expected.whole if found.expected is not None else None
    if whole is not None:
        words += f". It usually takes {whole.p50_s:.1f}s, {whole.p99_s:.1f}s at worst (p99)"
    return f"{words}."


def _say_rehearsal(report: Rehearsal, *, shows_all: bool) -> None:
    if report.baseline is not Ended.succeeded:
        click.echo(f"Without a fault it ends as {report.baseline.value}; pin sample data first.")
        for problem in report.problems:
            click.echo(f"problem  {problem.node or 'flow'}: {problem.message}")
        return
    rows = [
        (case.verdict.value, case.name, case.fault.value.replace("_", " "), case.behind, case.why)
        for case in report.cases
        if shows_all or case.verdict.value in ("halts", "bad")
    ]
    say_rows(("VERDICT", "STEP", "FAULT", "BEHIND", "WHAT HAPPENS"), rows)
    counted = ", ".join(f"{count} {verdict}" for verdict, count in report.counts.items() if count)
    cut = " There was no time for more." if report.is_cut else ""
    click.echo(f"\nScore {report.score} of 100: {counted or 'nothing has an effect'}.{cut}")


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST_WORDS else f"{line[: LONGEST_WORDS - 1]}…"
