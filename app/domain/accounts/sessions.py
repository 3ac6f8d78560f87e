"""Signed-in browsers: a random token in the cookie, only its SHA-256 in the table.

A session ends when it was idle for long, and at the latest some time after sign-in;
for the provider's own people both come sooner.
"""

import hashlib
from datetime import timedelta
from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.core.secrets import new_token
from app.domain.accounts.roles import Role, is_staff
from app.domain.accounts.views import AccountView, BrowserView, SessionView

TOUCH_EVERY = timedelta(minutes=5)
LONGEST_AGENT = 300


class Lifetime(msgspec.Struct, frozen=True):
    """How long a session lives without use, and at most."""

    idle: timedelta
    most: timedelta


CLIENT_LIFETIME = Lifetime(idle=timedelta(days=14), most=timedelta(days=90))
STAFF_LIFETIME = Lifetime(idle=timedelta(hours=12), most=timedelta(days=7))


def lifetime_of(role: Role) -> Lifetime:
    return STAFF_LIFETIME if is_staff(role) else CLIENT_LIFETIME


async def start_session(tx: Tx, account: AccountView, *, address: str, agent: str) -> str:
    """Return the token for the cookie; it is never seen again."""
    token = new_token(32)
    await tx.execute(
        "INSERT INTO session (id, account, token_hash, created_at, seen_at, expires_at, "
        "address, agent) VALUES ($1, $2, $3, $4, $4, $5, $6, $7)",
        new_id(),
        account.id,
        token_hash(token),
        tx.now(),
        tx.now() + lifetime_of(account.role).idle,
        address,
        agent[:LONGEST_AGENT],
    )
    return token


async def find_session(tx: Tx, token: str) -> SessionView | None:
    """Return the live session of a token; None when it ended or its account is disabled.

    One look-up by unique key; every `TOUCH_EVERY` also one update, which moves the
    expiry on. Safe in a snapshot.
    """
    row = await tx.fetchrow(
        "SELECT s.id, s.created_at, s.seen_at, s.expires_at, a.id AS account, a.email, a.name, "
        "a.company, a.country, a.role FROM session s JOIN account a ON a.id = s.account "
        "WHERE s.token_hash = $1 AND s.expires_at > $2 AND a.disabled_at IS NULL",
        token_hash(token),
        tx.now(),
    )
    if row is None:
        return None
    account = AccountView(
        row["account"],
        row["email"],
        row["name"],
        row["company"],
        row["country"],
        Role(row["role"]),
    )
    life, expires_at = lifetime_of(account.role), row["expires_at"]
    ends_at = row["created_at"] + life.most  # a promotion to staff shortens it from now on
    if ends_at <= tx.now():
        return None
    if tx.now() - row["seen_at"] >= TOUCH_EVERY:
        expires_at = min(tx.now() + life.idle, ends_at)
        await tx.execute(
            "UPDATE session SET seen_at = $2, expires_at = $3 WHERE id = $1",
            row["id"],
            tx.now(),
            expires_at,
        )
    return SessionView(row["id"], account, expires_at)


async def end_session(tx: Tx, token: str) -> None:
    """Sign one browser out; nothing happens when it already was."""
    await tx.execute("DELETE FROM session WHERE token_hash = $1", token_hash(token))


async def end_sessions(tx: Tx, account: UUID, *, keep: UUID | None = None) -> int:
    """Sign every browser of the account out but the session `keep`; returns how many."""
    rows = await tx.fetch(
        "DELETE FROM session WHERE account = $1 AND id IS DISTINCT FROM $2 RETURNING id",
        account,
        keep,
    )
    return len(rows)


async def list_browsers(tx: Tx, account: UUID) -> list[BrowserView]:
    """Return the live sessions of an account, the latest used first; at most 50."""
    rows = await tx.fetch(
        "SELECT id, address, agent, created_at, seen_at FROM session "
        "WHERE account = $1 AND expires_at > $2 ORDER BY seen_at DESC LIMIT 50",
        account,
        tx.now(),
    )
    return [BrowserView(*row) for row in rows]


def token_hash(token: str) -> bytes:
    """Return what is kept of a token: with its 256 random bits, a plain SHA-256 is enough."""
    return hashlib.sha256(token.encode()).digest()
