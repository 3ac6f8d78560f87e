"""Signing in, in three steps, so that no connection is held while argon2 works.

    async with db.transaction() as tx:
        attempt = await begin_sign_in(tx, email=..., address=...)
    await check_password(attempt, password)
    async with db.transaction() as tx:
        signed_in = await finish_sign_in(tx, attempt, password, ...)

The first transaction is committed whatever comes after it: a wrong password leaves
its trace.
"""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.domain.accounts.details import LONGEST_EMAIL, normal_email
from app.domain.accounts.errors import AccountDisabled, WrongCredentials
from app.domain.accounts.find import find_account
from app.domain.accounts.passwords import hash_password, is_outdated, password_matches
from app.domain.accounts.sessions import end_session, start_session
from app.domain.accounts.throttle import count_attempt, take_back
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record


class Attempt(msgspec.Struct, frozen=True):
    """A sign-in under way; `account` and `password_hash` are None for an unknown e-mail."""

    email: str
    address: str
    account: UUID | None
    password_hash: str | None
    is_disabled: bool
    counted: list[UUID]


class SignedIn(msgspec.Struct, frozen=True):
    """Who signed in, and the token for the cookie."""

    account: AccountView
    token: str


async def begin_sign_in(tx: Tx, *, email: str, address: str) -> Attempt:
    """Count the attempt; raises `TooManyAttempts`, which says when to try again."""
    email = normal_email(email)[:LONGEST_EMAIL]
    counted = await count_attempt(tx, email=email, address=address)
    row = await tx.fetchrow(
        "SELECT id, password_hash, disabled_at FROM account WHERE email = $1", email
    )
    if row is None:
        return Attempt(email, address, None, None, False, counted)
    return Attempt(
        email, address, row["id"], row["password_hash"], row["disabled_at"] is not None, counted
    )


async def check_password(attempt: Attempt, password: str) -> None:
    """Raise `WrongCredentials`, or `AccountDisabled` to someone who knew the password.

    The same work is done for an unknown e-mail, so that the time tells nothing.
    """
    if not await password_matches(attempt.password_hash, password):
        raise WrongCredentials
    if attempt.is_disabled:
        raise AccountDisabled


async def finish_sign_in(
    tx: Tx, attempt: Attempt, password: str, *, agent: str, replaces: str | None = None
) -> SignedIn:
    """Start a session after `check_password`; always a new token.

    `replaces` is the token that the browser came with: it ends here. Raises
    `WrongCredentials` when the account changed meanwhile.
    """
    unchanged = await tx.fetchval(
        "SELECT id FROM account WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL "
        "FOR NO KEY UPDATE",
        attempt.account,
        attempt.password_hash,
    )
    if unchanged is None or attempt.password_hash is None:
        raise WrongCredentials
    if is_outdated(attempt.password_hash):
        await tx.execute(
            "UPDATE account SET password_hash = $2 WHERE id = $1",
            unchanged,
            await hash_password(password),
        )
    await take_back(tx, attempt.counted, email=attempt.email)
    if replaces is not None:
        await end_session(tx, replaces)
    account = await find_account(tx, unchanged)
    token = await start_session(tx, account, address=attempt.address, agent=agent)
    await record(
        tx,
        actor=account.id,
        actor_label=account.email,
        action="account.signed_in",
        subject_kind="account",
        subject=account.id,
        before={},
        after={"address": attempt.address},
    )
    return SignedIn(account, token)
