"""`slipway connection`: the peers that flows call, by hand. Secrets are never arguments."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TypeVar

import click
import uvloop

from app.cli.database import opened
from app.core.database import Database
from app.core.errors import Invalid
from app.domain.connections.add import add_connection
from app.domain.connections.field import Field
from app.domain.connections.fields import fields_of, secrets_of
from app.domain.connections.find import id_of, list_connections
from app.domain.connections.kinds import Kind
from app.domain.connections.open import open_connection
from app.domain.connections.remove import remove_connection
from app.drivers.egress import Egress
from app.drivers.errors import DriverError
from app.drivers.peers import Tested, open_peers
from app.resources import open_vault, start_servers
from app.settings import Settings, load_settings

VARIABLE = "SLIPWAY_CONNECTION_"
TEST_S = 30.0
T = TypeVar("T")


@click.group()
def connection() -> None:
    """Manage the peers that flows call: APIs, SSH hosts, name servers, chats."""


@connection.command()
@click.argument("name")
@click.argument("kind", type=click.Choice([kind.value for kind in Kind]))
@click.option("--set", "facts", multiple=True, metavar="FIELD=VALUE", help="A fact.")
@click.option(
    "--file", "files", multiple=True, metavar="FIELD=PATH", help="A fact or secret, from a file."
)
@click.option("--fields", is_flag=True, help="List what can be set, and do nothing.")
def add(name: str, kind: str, facts: tuple[str, ...], files: tuple[str, ...], fields: bool) -> None:
    """Add the connection NAME of a KIND.

    Secrets come from the environment (SLIPWAY_CONNECTION_ and the field in capitals), from a
    file, from standard input where one is missing and it is no terminal, or they are asked for.
    """
    wanted = Kind(kind)
    typed = _pairs(wanted, facts)
    if fields:
        click.echo("\n".join(_described(field) for field in fields_of(wanted, typed)))
        return
    typed |= {field: Path(path).read_text() for field, path in _split(files).items()}
    typed |= _secrets(wanted, typed)

    async def run(settings: Settings, database: Database) -> None:
        async with database.transaction() as tx:
            await add_connection(
                tx,
                open_vault(settings),
                name=name,
                kind=wanted,
                typed=typed,
                actor=None,
                actor_label="slipway connection add",
            )

    try:
        _with_database(run)
    except Invalid as invalid:
        lines = "\n".join(f"  {field}: {text}" for field, text in invalid.fields.items())
        raise click.ClickException(f"Nothing was added:\n{lines}") from invalid
    click.echo(f"Flows can call {name}. `slipway connection test {name}` tries it.")


@connection.command("list")
def list_() -> None:
    """List all connections: name, kind, where each leads, how many flows call it."""

    async def run(_: Settings, database: Database) -> list[str]:
        async with database.snapshot() as tx:
            rows = await list_connections(tx)
        return [
            f"{row.name}\t{row.kind}\t{row.facts.place}\t{len(row.flows)} flows" for row in rows
        ]

    click.echo("\n".join(_with_database(run)) or "There are no connections.")


@connection.command()
@click.argument("name")
def test(name: str) -> None:
    """Reach the peer behind NAME with its credentials; exit 1 when that does not work.

    Nothing is changed there; a chat is sent a message that says it was a test.
    """

    async def run(settings: Settings, database: Database) -> Tested:
        async with database.snapshot() as tx:
            peer = await open_connection(tx, open_vault(settings), name)
        peers = open_peers(Egress(settings.egress_networks), database.clock)
        try:
            async with asyncio.timeout(TEST_S):
                return await peers.test(peer)
        finally:
            await peers.close()

    try:
        tested = _with_database(run)
    except DriverError as error:
        raise click.ClickException(str(error)) from error
    except TimeoutError as error:
        raise click.ClickException(f"{name}: no answer within {TEST_S:g} s") from error
    click.echo(f"{'ok ' if tested.is_certain else 'reached '} {name}: {tested.words}")


@connection.command()
@click.argument("name")
def remove(name: str) -> None:
    """Remove NAME and its secrets, unless a flow calls it."""

    async def run(_: Settings, database: Database) -> None:
        async with database.transaction() as tx:
            await remove_connection(
                tx, await id_of(tx, name), actor=None, actor_label="slipway connection remove"
            )

    _with_database(run)
    click.echo(f"{name} is removed.")


def _with_database(work: Callable[[Settings, Database], Awaitable[T]]) -> T:
    settings = load_settings()
    servers = start_servers(settings)

    async def run() -> T:
        async with opened(settings, servers) as database:
            return await work(settings, database)

    try:
        return uvloop.run(run())
    finally:
        servers.stop()


def _split(pairs: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        field, equals, value = pair.partition("=")
        if not equals:
            raise click.UsageError(f"{pair} is not of the form FIELD=VALUE")
        found[field] = value
    return found


def _pairs(kind: Kind, facts: tuple[str, ...]) -> dict[str, str]:
    """Return the facts given as arguments; a secret there would be seen by every process."""
    typed = _split(facts)
    secret = next((field.name for field in secrets_of(kind, typed) if field.name in typed), None)
    if secret is not None:
        raise click.UsageError(
            f"{secret} is a secret and must not be an argument; set {VARIABLE}{secret.upper()}, "
            f"use --file {secret}=PATH, or be asked for it"
        )
    known = {field.name for field in fields_of(kind, typed)}
    if unknown := sorted(typed.keys() - known):
        raise click.UsageError(
            f"there is no {unknown[0]} here; it has {', '.join(sorted(known))} "
            "(other choices have other fields, see --fields)"
        )
    return typed


def _secrets(kind: Kind, typed: Mapping[str, str]) -> dict[str, str]:
    wanted = [field for field in secrets_of(kind, typed) if field.name not in typed]
    found = {
        field.name: os.environ[VARIABLE + field.name.upper()]
        for field in wanted
        if VARIABLE + field.name.upper() in os.environ
    }
    missing = [field for field in wanted if field.name not in found and not field.is_optional]
    if missing and not sys.stdin.isatty():
        if len(missing) > 1:
            raise click.UsageError(
                f"{', '.join(field.name for field in missing)} are missing; set "
                f"{VARIABLE}…, or use --file"
            )
        return found | {missing[0].name: sys.stdin.read()}
    return found | {field.name: click.prompt(field.label, hide_input=True) for field in missing}


def _described(field: Field) -> str:
    marks = ["secret"] * field.is_secret + ["optional"] * field.is_optional
    marks += [f"default {field.default}"] if field.default else []
    values = f" ({'|'.join(field.choices)})" if field.choices else ""
    return f"{field.name}{values}: {field.label}" + (f" [{', '.join(marks)}]" if marks else "")
