"""`slipway flow publish`, `import`, `roll-back`, `bind`, `unbind`, `enable`, `disable`."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json
from app.core.database import Database, Tx
from app.domain.catalog.find import category_id
from app.domain.connections.find import known_names
from app.flows import bind as binding
from app.flows.disable import disable_flow, enable_flow
from app.flows.find_flows import find_version
from app.flows.flow_views import VersionView
from app.flows.publish import publish as publish_document
from app.flows.publish import roll_back as go_back
from app.flows.serve import serve
from app.flows.transfer import CannotImport, connections_named, import_flow, read
from app.flows.validate import InvalidFlow
from app.routes.api.flow_json import version_line

T = TypeVar("T")
BY = "slipway flow {}"
ORDER_PAID = "order.paid"

file_argument = click.argument(
    "path", metavar="FILE", type=click.Path(path_type=Path, exists=True, dir_okay=False)
)
note_option = click.option("--note", required=True, help="What changed and why; kept.")
slug_argument = click.argument("slug")
category_argument = click.argument("category")
trigger_option = click.option("--trigger", default=ORDER_PAID, show_default=True)


@click.command()
@file_argument
@note_option
@json_option
def publish(path: Path, note: str, as_json: bool) -> None:
    """Make the document in FILE the latest version of its flow."""
    document = read(path.read_bytes())

    async def change(tx: Tx) -> str:
        await publish_document(tx, document, note=note, by_label=BY.format("publish"))
        return document.flow

    _say(_version_after(change), as_json=as_json)


@click.command("import")
@file_argument
@note_option
@click.option("--slug", default="", help="Another slug for it; its own if not given.")
@json_option
def import_(path: Path, note: str, slug: str, as_json: bool) -> None:
    """Take in an exported flow; nothing is written when anything that it needs is missing."""
    raw = path.read_bytes()
    document = read(raw)

    async def change(tx: Tx) -> str:
        await import_flow(
            tx,
            raw,
            connections=await known_names(tx, connections_named(document)),
            note=note,
            slug=slug,
            by_label=BY.format("import"),
        )
        return slug or document.flow

    _say(_version_after(change), as_json=as_json)


@click.command("roll-back")
@slug_argument
@click.argument("version", type=click.IntRange(min=1))
@click.option("--note", default="", help="Why; kept.")
@json_option
def roll_back(slug: str, version: int, note: str, as_json: bool) -> None:
    """Publish what VERSION of the flow SLUG says as its latest version."""

    async def change(tx: Tx) -> str:
        await go_back(tx, slug, version, by_label=BY.format("roll-back"), note=note)
        return slug

    _say(_version_after(change), as_json=as_json)


@click.command()
@slug_argument
@category_argument
@trigger_option
def bind(slug: str, category: str, trigger: str) -> None:
    """Let the flow SLUG serve the product CATEGORY from now on."""

    async def change(tx: Tx) -> tuple[str, ...]:
        found = await category_id(tx, category)
        label = BY.format("bind")
        return await serve(tx, category=found, trigger=trigger, flow=slug, by_label=label)

    along = _do(change)
    click.echo(f"{slug} serves {category} on {trigger}.")
    for other in along:
        click.echo(f"{other} serves it too.")


@click.command()
@category_argument
@trigger_option
def unbind(category: str, trigger: str) -> None:
    """Let no flow serve the product CATEGORY; what happens then waits for staff."""

    async def change(tx: Tx) -> None:
        found = await category_id(tx, category)
        await binding.unbind(tx, category=found, trigger=trigger, by_label=BY.format("unbind"))

    _do(change)
    click.echo(f"No flow serves {category} on {trigger}.")


@click.command()
@slug_argument
def enable(slug: str) -> None:
    """Let runs of the flow SLUG start again."""
    _do(lambda tx: enable_flow(tx, slug, actor=None, actor_label=BY.format("enable")))
    click.echo(f"{slug} is enabled.")


@click.command()
@slug_argument
@click.option("--reason", required=True, help="Kept in the audit trail.")
def disable(slug: str, reason: str) -> None:
    """Start no run of the flow SLUG any more; runs under way go on."""
    _do(
        lambda tx: disable_flow(
            tx, slug, actor=None, actor_label=BY.format("disable"), reason=reason
        )
    )
    click.echo(f"{slug} is disabled; no run of it starts until it is enabled.")


def _do(change: Callable[[Tx], Awaitable[T]]) -> T:
    async def verb(database: Database) -> T:
        async with database.transaction() as tx:
            return await change(tx)

    return with_database(verb)


def _version_after(change: Callable[[Tx], Awaitable[str]]) -> VersionView:
    """Return the latest version of the flow whose slug `change` gives; problems line by line."""

    async def verb(database: Database) -> VersionView:
        async with database.transaction() as tx:
            return await find_version(tx, await change(tx))

    try:
        return with_database(verb)
    except InvalidFlow as refusal:
        for problem in refusal.problems:
            click.echo(f"{problem.severity}: {problem}", err=True)
        raise SystemExit(1) from refusal
    except CannotImport as refusal:
        raise click.ClickException(refusal.message.replace("; ", "\n  ")) from refusal


def _say(version: VersionView, *, as_json: bool) -> None:
    if as_json:
        say_json(version_line(version.row))
    else:
        click.echo(f"{version.slug} is at version {version.row.number}.")
