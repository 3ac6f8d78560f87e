"""`slipway allocate explain`: why an order has its server, or has none."""

from collections.abc import Iterator
from uuid import UUID

import click

from app.cli.database import with_database
from app.cli.say import json_option, say_json, say_rows
from app.core.database import Database
from app.core.errors import NotFound
from app.domain.orders.explain import OrderAccount, explain_order
from app.solver.account import TierScore

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
    account, names = told.account, told.names
    counts = account.explanation
    yield f"Order #{told.number}: {counts.eligible} of {counts.total} servers serve it."
    if told.has is not None:
        yield f"It has {names[told.has]}."
    if account.chosen is not None:
        yield f"The best is {names[account.chosen]}{_because(account.against, 'the next')}."
    for rule in counts.rules:
        yield f"  {rule.label}: {rule.eliminated} fail, {rule.eliminated_alone} only this"
    yield from (f"  {step.text}" for step in account.explanation.relaxations)
    yield from (f"  {pair.text}" for pair in account.pairs)
    asked = account.asked
    if asked is None or asked.server == account.chosen:
        return
    name = names[asked.server]
    if not asked.is_free:
        yield f"{name} is not in stock."
    elif asked.failed:
        yield f"{name} fails: {'; '.join(asked.failed)}."
    else:
        yield f"{name} serves it too; the best one goes before it{_because(asked.against, 'it')}."


def _because(scores: tuple[TierScore, ...], other: str) -> str:
    for score in scores:
        if score.decides:
            return f" by {score.tier} ({score.chosen}; {other} has {score.other})"
    return ", drawn among equals" if scores else ""


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
