"""Changes of an account by its owner: particulars and password."""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.errors import Conflict, Invalid
from app.domain.accounts.details import Details, details_problems, normal_details, refuse
from app.domain.accounts.passwords import hash_password, password_matches, password_problem
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import end_sessions
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record


async def change_details(tx: Tx, account: AccountView, details: Details) -> AccountView:
    """Return the account with new particulars; raises `Invalid` per bad field."""
    details = normal_details(details)
    refuse(details_problems(details, country_needed=account.role is Role.CLIENT))
    await tx.execute(
        "UPDATE account SET name = $2, company = $3, country = $4 WHERE id = $1",
        account.id,
        details.name,
        details.company,
        details.country,
    )
    before = {name: getattr(account, name) for name in ("name", "company", "country")}
    after = {name: getattr(details, name) for name in before}
    changed = [name for name in before if before[name] != after[name]]
    if changed:
        await record(
            tx,
            actor=account.id,
            actor_label=account.email,
            action="account.changed",
            subject_kind="account",
            subject=account.id,
            before={name: before[name] for name in changed},
            after={name: after[name] for name in changed},
        )
    tx.publish(f"account:{account.id}")
    return msgspec.structs.replace(account, **after)


async def change_password(
    tx: Tx, account: AccountView, *, current: str, new: str, keep: UUID | None
) -> int:
    """Set a new password and sign every other browser out; returns how many.

    `keep` is the session that asks. Raises `Invalid` on `current` or `new`. The caller
    limits how often it is asked, since `current` could be guessed here.
    """
    stored = await tx.fetchval("SELECT password_hash FROM account WHERE id = $1", account.id)
    if not await password_matches(stored, current):
        raise Invalid({"current": "This is not your present password."})
    if problem := password_problem(new, email=account.email):
        raise Invalid({"new": problem})
    if new == current:
        raise Invalid({"new": "This is the present password; choose another one."})
    changed = await tx.execute(
        "UPDATE account SET password_hash = $3 WHERE id = $1 AND password_hash = $2",
        account.id,
        stored,
        await hash_password(new),
    )
    if changed != "UPDATE 1":
        raise Conflict("The password was changed elsewhere just now; sign in again.")
    await record(
        tx,
        actor=account.id,
        actor_label=account.email,
        action="account.password_changed",
        subject_kind="account",
        subject=account.id,
        before={},
        after={},
    )
    return await end_sessions(tx, account.id, keep=keep)
