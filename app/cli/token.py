"""`slipway token`: API tokens by which programs act for a member of staff."""

from datetime import timedelta
from uuid import UUID

import click
import msgspec

from app.cli.database import with_database
from app.cli.say import json_option, say_json, say_rows, when
from app.core.database import Database, Tx
from app.core.errors import NotFound, Refusal
from app.domain.accounts.api_tokens import (
    MadeToken,
    TokenView,
    list_tokens,
    make_token,
    revoke_token,
    tokens_of,
)
from app.domain.accounts.find import find_account_by_email
from app.domain.accounts.scopes import Scope
from app.domain.accounts.views import AccountView

USUAL_DAYS = 90


class Ambiguous(Refusal):
    code = "accounts.ambiguous_token"

    def __init__(self, words: str) -> None:
        super().__init__(f"Several tokens begin with {words}; name one by its id.")


@click.group()
def token() -> None:
    """Make, list and revoke API tokens."""


@token.command()
@click.argument("email")
@click.option("--name", required=True, help="Name of the program that will use it.")
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    required=True,
    type=click.Choice([scope.value for scope in Scope]),
    help="What it may do; give it several times.",
)
@click.option(
    "--days", type=click.IntRange(1, 3_660), help=f"Days it holds; {USUAL_DAYS} if not given."
)
@click.option("--forever", is_flag=True, help="It holds until it is revoked.")
@json_option
def make(  # noqa: PLR0917 - the command's own arguments
    email: str, name: str, scopes: tuple[str, ...], days: int | None, forever: bool, as_json: bool
) -> None:
    """Make a token for EMAIL, and print it: it cannot be shown again."""
    if forever and days is not None:
        raise click.UsageError("Give either --days or --forever.")
    lives = None if forever else timedelta(days=days or USUAL_DAYS)

    async def verb(database: Database) -> MadeToken:
        async with database.transaction() as tx:
            return await make_token(
                tx,
                await _account(tx, email),
                name=name,
                scopes=scopes,
                lives=lives,
                actor=None,
                actor_label="slipway token make",
            )

    made = with_database(verb)
    if as_json:
        say_json({"token": made.secret, **msgspec.structs.asdict(made.view)})
        return
    click.echo(made.secret)  # alone, so that a script can take it: TOKEN=$(slipway token make …)
    until = when(made.view.expires_at) if made.view.expires_at else "it is revoked"
    click.echo(f"It holds until {until}. Keep it: it is not shown again.", err=True)


@token.command("list")
@click.option("--owner", default="", help="Only the tokens of this e-mail address.")
@click.option("--all", "every", is_flag=True, help="Those that have ended, too.")
@json_option
def list_(owner: str, every: bool, as_json: bool) -> None:
    """List the tokens that are live."""

    async def verb(database: Database) -> list[TokenView]:
        async with database.snapshot() as tx:
            account = (await _account(tx, owner)).id if owner else None
            found = await list_tokens(tx, account)
            return [one for one in found if every or one.is_live(tx.now())]

    found = with_database(verb)
    if as_json:
        say_json(found)
        return
    say_rows(
        ("ID", "OWNER", "NAME", "BEGINS WITH", "SCOPES", "EXPIRES", "LAST USED", "REVOKED"),
        [
            (
                str(one.id),
                one.owner,
                one.name,
                one.prefix,
                ",".join(one.scopes),
                when(one.expires_at),
                when(one.last_used_at),
                when(one.revoked_at),
            )
            for one in found
        ],
    )


@token.command()
@click.argument("which")
def revoke(which: str) -> None:
    """End the token WHICH now: its id, or what it begins with."""

    async def verb(database: Database) -> TokenView:
        async with database.transaction() as tx:
            return await revoke_token(
                tx,
                await _named(tx, which),
                owner=None,
                actor=None,
                actor_label="slipway token revoke",
            )

    view = with_database(verb)
    click.echo(f"The token {view.name} of {view.owner} is revoked.")


async def _account(tx: Tx, email: str) -> AccountView:
    account = await find_account_by_email(tx, email)
    if account is None:
        raise NotFound("account", email)
    return account


async def _named(tx: Tx, which: str) -> UUID:
    try:
        return UUID(which)
    except ValueError:
        pass
    # A whole token is understood too: whoever finds one in a log wants to end it.
    found = await tokens_of(tx, which)
    if not found:
        raise NotFound("API token", which[:10])
    if len(found) > 1:
        raise Ambiguous(which[:10])
    return found[0].id
