"""`slipway allocate explain`: why an order has its server, or has none."""

from collections.abc import Iterator
from uuid import UUID

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json, say_rows
from app.core.database import Database
from app.core.errors import NotFound
from app.domain.orders.account_words import verdict, why_not, why_the_best
from app.domain.orders.explain import OrderAccount, explain_order

SHOWN = 20
"""Candidates printed; JSON has them all."""


@click.group()
def allocate() -> None:
    """Look into how orders get their servers."""


@allocate.command()
@click.argument("order")
@click.option("--server", default="", help="Name or id: say why it was not chosen.")
@json_option
def explain(*, order: str, server: str, as_json: bool) -> None:
    """Say how the stock of now answers ORDER, its number or id; exit 1 where nothing serves it."""

    async def verb(database: Database) -> OrderAccount:
        async with database.snapshot() as tx:
            key: UUID | None = await tx.fetchval(
                "SELECT id FROM client_order WHERE number::text = $1 OR id::text = $1",
                order.removeprefix("#"),
            )
            if key is None:
                raise NotFound("order", order)
            return await explain_order(tx, key, server=server)

    told = with_database(verb)
    if as_json:
        say_json(told)
    else:
        for line in _lines(told):
            click.echo(line)
        _say_candidates(told)
    if told.account.chosen is None:
        raise SystemExit(1)


def _lines(told: OrderAccount) -> Iterator[str]:
    account = told.account
    yield f"Order #{told.number}: {verdict(told)}"
    if told.has is not None:
        yield f"It has {told.names[told.has]}."
    if best := why_the_best(told):
        yield best
    for rule in account.explanation.rules:
        yield f"  {rule.label}: {rule.eliminated} fail, {rule.eliminated_alone} only this"
    yield from (f"  {step.text}" for step in account.explanation.relaxations)
    yield from (f"  {pair.text}" for pair in account.pairs)
    if answer := why_not(told):
        yield answer


def _say_candidates(told: OrderAccount) -> None:
    shown = told.account.candidates[:SHOWN]
    say_rows(
        ("SERVER", "FAILS", "SCORES"),
        [
            (
                told.names[one.server],
                ", ".join(one.failed) or "-",
                " ".join(f"{tier}={score}" for tier, score in (one.scores or {}).items()) or "-",
            )
            for one in shown
        ],
    )
    left_off = told.account.left_off + len(told.account.candidates) - len(shown)
    if left_off:
        click.echo(f"… and {left_off} more")
