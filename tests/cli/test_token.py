"""`slipway token`: what a script can take, what a person can read."""

import json

from app.core.database import Database
from app.domain.accounts.api_tokens import find_caller
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope
from tests.accounts.people import make_account
from tests.cli.slipway import slipway


async def test_a_token_is_made_listed_and_revoked(dsn: str, database: Database) -> None:
    await make_account(database, "op@slipway.test", role=Role.OPERATOR)
    make = ("token", "make", "op@slipway.test", "--name", "backup", "--scope", "runs:read")
    code, said = await slipway(*make, "--scope", "runs:write", "--days", "7", DATABASE_URL=dsn)
    assert code == 0, said
    secret, until = said.splitlines()
    assert until.startswith("It holds until 20")
    async with database.snapshot() as tx:
        caller = await find_caller(tx, secret)
    assert caller is not None
    assert caller.scopes == {Scope.RUNS_READ, Scope.RUNS_WRITE}

    code, said = await slipway("token", "list", DATABASE_URL=dsn)
    assert code == 0
    head, line = said.splitlines()
    assert head.split()[:2] == ["ID", "OWNER"]
    assert secret[:10] in line
    assert secret not in line
    code, said = await slipway("token", "list", "--json", DATABASE_URL=dsn)
    (listed,) = json.loads(said)
    assert (listed["name"], listed["scopes"]) == ("backup", ["runs:read", "runs:write"])

    # A whole token, as it is found in a log, can be named to end it.
    code, said = await slipway("token", "revoke", secret, DATABASE_URL=dsn)
    assert (code, said.strip()) == (0, "The token backup of op@slipway.test is revoked.")
    assert (await slipway("token", "list", DATABASE_URL=dsn)) == (0, "")
    code, said = await slipway(
        "token", "list", "--all", "--owner", "op@slipway.test", DATABASE_URL=dsn
    )
    assert "backup" in said


async def test_a_token_that_cannot_be_made_is_refused_with_what_to_do(
    dsn: str, database: Database
) -> None:
    await make_account(database, "fin@slipway.test", role=Role.FINANCE)
    cases = {
        1: ("fin@slipway.test", "--name", "x", "--scope", "runs:write"),
        2: ("fin@slipway.test", "--name", "x", "--scope", "everything"),
    }
    for code, words in cases.items():
        assert (await slipway("token", "make", *words, DATABASE_URL=dsn))[0] == code
    words = ("nobody@slipway.test", "--name", "x", "--scope", "runs:read")
    code, said = await slipway("token", "make", *words, DATABASE_URL=dsn)
    assert code == 1
    assert "There is no account nobody@slipway.test" in said
    code, said = await slipway("token", "revoke", "slw_nothing", DATABASE_URL=dsn)
    assert code == 1
