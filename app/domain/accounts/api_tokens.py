"""API tokens: a program acts for a person, in the scopes that its token was made for.

The token is shown once, when it is made; its SHA-256 is kept. What it may do is also bounded
by its owner's role at the time of each request: who is demoted or disabled takes their tokens
along.
"""

import re
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
import msgspec

from app.core.database import Tx
from app.core.errors import NotFound
from app.core.ids import new_id
from app.core.secrets import new_token
from app.domain.accounts.details import refuse
from app.domain.accounts.roles import Role
from app.domain.accounts.scopes import Scope, scopes_of
from app.domain.accounts.sessions import token_hash
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record

BEGINNING = "slw_"
"""What every token begins with, so that people and scanners of leaked secrets know it."""
SHOWN = len(BEGINNING) + 6
"""Characters of a token that stay visible: 220 random bits are left unknown."""
TOUCH_EVERY = timedelta(minutes=5)
MOST_TOKENS = 50
LONGEST_NAME = 60
LONGEST_LIFE = timedelta(days=3_660)

_TOKEN = re.compile(re.escape(BEGINNING) + r"[A-Za-z0-9_-]{43}")


class TokenView(msgspec.Struct, frozen=True, kw_only=True):
    """A token as lists show it; never the token itself."""

    id: UUID
    owner: str
    """The owner's e-mail address."""
    name: str
    prefix: str
    scopes: tuple[Scope, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    """Some minutes exact; None when it was never used."""
    revoked_at: datetime | None

    def is_live(self, now: datetime) -> bool:
        """Say whether a request with it is heard."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > now)


class MadeToken(msgspec.Struct, frozen=True):
    """A new token; `secret` is seen this once."""

    view: TokenView
    secret: str


class Caller(msgspec.Struct, frozen=True):
    """Whom a request with a token acts for, and what it may do: `scopes` that the role bounds."""

    account: AccountView
    token: UUID
    token_name: str
    scopes: frozenset[Scope]

    @property
    def label(self) -> str:
        """What the audit trail calls it."""
        return f"{self.account.email} (API token {self.token_name})"


_COLUMNS = """t.id, a.email AS owner, t.name, t.prefix, t.scopes, t.created_at, t.expires_at,
    t.last_used_at, t.revoked_at FROM api_token t JOIN account a ON a.id = t.account"""


async def make_token(
    tx: Tx,
    account: AccountView,
    *,
    name: str,
    scopes: Iterable[str],
    lives: timedelta | None,
    actor: UUID | None,
    actor_label: str,
) -> MadeToken:
    """Return a new token for `account`; without `lives` it holds until it is revoked.

    Raises `Invalid` on `name`, `scopes` or `lives`. Live tokens of an account differ in name.
    """
    name, wanted = " ".join(name.split()), sorted(set(scopes))
    # The row of the account is the lock under which its tokens are counted.
    await tx.execute("SELECT 1 FROM account WHERE id = $1 FOR NO KEY UPDATE", account.id)
    live = [one for one in await list_tokens(tx, account.id) if one.is_live(tx.now())]
    problems = {
        "name": _name_problem(name, live),
        "scopes": _scopes_problem(wanted, account.role),
        "lives": None
        if lives is None or timedelta() < lives <= LONGEST_LIFE
        else f"Choose from 1 to {LONGEST_LIFE.days} days, or no end.",
    }
    refuse({field: text for field, text in problems.items() if text})
    secret = BEGINNING + new_token(32)
    view = TokenView(
        id=new_id(),
        owner=account.email,
        name=name,
        prefix=secret[:SHOWN],
        scopes=tuple(map(Scope, wanted)),
        created_at=tx.now(),
        expires_at=tx.now() + lives if lives else None,
        last_used_at=None,
        revoked_at=None,
    )
    await tx.execute(
        "INSERT INTO api_token (id, account, name, prefix, token_hash, scopes, created_at, "
        "expires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        view.id,
        account.id,
        view.name,
        view.prefix,
        token_hash(secret),
        wanted,
        view.created_at,
        view.expires_at,
    )
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="api_token.made",
        subject_kind="api_token",
        subject=view.id,
        before={},
        after={
            "owner": view.owner,
            "name": view.name,
            "prefix": view.prefix,
            "scopes": wanted,
            "expires_at": view.expires_at,
        },
    )
    return MadeToken(view, secret)


async def revoke_token(
    tx: Tx, token: UUID, *, owner: UUID | None, actor: UUID | None, actor_label: str
) -> TokenView:
    """End a token now, and return it; idempotent.

    With `owner`, only a token of that account: another's raises `NotFound`.
    """
    row = await tx.fetchrow(
        "UPDATE api_token SET revoked_at = $3 WHERE id = $1 AND ($2::uuid IS NULL OR account = $2) "
        "AND revoked_at IS NULL RETURNING id",
        token,
        owner,
        tx.now(),
    )
    found = await tx.fetchrow(
        f"SELECT {_COLUMNS} WHERE t.id = $1 AND ($2::uuid IS NULL OR t.account = $2)", token, owner
    )
    if found is None:
        raise NotFound("API token", token)
    view = _view(found)
    if row is not None:
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="api_token.revoked",
            subject_kind="api_token",
            subject=view.id,
            before={"owner": view.owner, "name": view.name, "prefix": view.prefix},
            after={},
        )
    return view


async def list_tokens(tx: Tx, account: UUID | None = None, *, limit: int = 500) -> list[TokenView]:
    """Return the tokens of an account, or everyone's: the live ones, the latest first."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} WHERE $1::uuid IS NULL OR t.account = $1 "
        "ORDER BY t.revoked_at IS NULL AND (t.expires_at IS NULL OR t.expires_at > $2) DESC, "
        "t.id DESC LIMIT $3",
        account,
        tx.now(),
        limit,
    )
    return [_view(row) for row in rows]


async def tokens_of(tx: Tx, beginning: str) -> list[TokenView]:
    """Return the tokens that begin as `beginning` does, which may be a whole token."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} WHERE starts_with($1, t.prefix) ORDER BY t.id DESC", beginning
    )
    return [_view(row) for row in rows]


async def find_caller(tx: Tx, token: str) -> Caller | None:
    """Return whom a token acts for; None when it is not live or its owner is disabled.

    One look-up by unique key, none for what cannot be a token; every `TOUCH_EVERY` also one
    update. Safe in a snapshot.
    """
    if _TOKEN.fullmatch(token) is None:
        return None
    row = await tx.fetchrow(
        "SELECT t.id AS token, t.name AS token_name, t.scopes, t.last_used_at, a.id, a.email, "
        "a.name, a.company, a.country, a.role FROM api_token t JOIN account a ON a.id = t.account "
        "WHERE t.token_hash = $1 AND t.revoked_at IS NULL AND a.disabled_at IS NULL "
        "AND (t.expires_at IS NULL OR t.expires_at > $2)",
        token_hash(token),
        tx.now(),
    )
    if row is None:
        return None
    if row["last_used_at"] is None or tx.now() - row["last_used_at"] >= TOUCH_EVERY:
        await tx.execute(
            "UPDATE api_token SET last_used_at = $2 WHERE id = $1", row["token"], tx.now()
        )
    role = Role(row["role"])
    return Caller(
        account=AccountView(
            row["id"], row["email"], row["name"], row["company"], row["country"], role
        ),
        token=row["token"],
        token_name=row["token_name"],
        scopes=scopes_of(role) & _known(row["scopes"]),
    )


def _name_problem(name: str, live: Collection[TokenView]) -> str | None:
    if not name:
        return "Name it for the program that will use it."
    if len(name) > LONGEST_NAME or not name.isprintable():
        return f"Use at most {LONGEST_NAME} printable characters."
    if any(one.name == name for one in live):
        return "There is a live token of this name; revoke it first, or choose another name."
    if len(live) >= MOST_TOKENS:
        return f"There are {MOST_TOKENS} live tokens already; revoke one that is not used."
    return None


def _scopes_problem(wanted: Collection[str], role: Role) -> str | None:
    if not wanted:
        return "Choose at least one scope."
    if unknown := [scope for scope in wanted if scope not in set(Scope)]:
        return f"There is no scope {unknown[0]}; there are {', '.join(Scope)}."
    if beyond := [scope for scope in wanted if Scope(scope) not in scopes_of(role)]:
        return f"The role {role} does not include {beyond[0]}."
    return None


def _view(row: asyncpg.Record) -> TokenView:
    facts = dict(row) | {"scopes": tuple(sorted(_known(row["scopes"])))}
    return TokenView(**facts)


def _known(scopes: Iterable[str]) -> frozenset[Scope]:
    """Return the scopes of a row; one that a later version knows grants nothing here."""
    return frozenset(Scope(scope) for scope in scopes if scope in set(Scope))
