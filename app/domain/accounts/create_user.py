"""Create an account, whoever asks for it: a visitor who signs up, or `slipway user create`."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.core.ids import new_id
from app.domain.accounts.details import (
    Details,
    details_problems,
    email_problem,
    normal_details,
    normal_email,
    refuse,
)
from app.domain.accounts.passwords import hash_password, password_problem
from app.domain.accounts.roles import Role
from app.domain.accounts.views import AccountView
from app.domain.audit.record import record


async def create_user(
    tx: Tx,
    *,
    email: str,
    password: str,
    details: Details,
    role: Role,
    actor: UUID | None = None,
    actor_label: str,
) -> AccountView:
    """Return the new account; clients need a country, staff do not.

    Raises `Invalid` with the fields `email`, `password`, `name`, `company`, `country`.
    Some 50 ms for the password, without a lock held.
    """
    email, details = normal_email(email), normal_details(details)
    problems = details_problems(details, country_needed=role is Role.CLIENT)
    if problem := email_problem(email):
        problems["email"] = problem
    if problem := password_problem(password, email=email):
        problems["password"] = problem
    if "email" not in problems and await tx.fetchval(
        "SELECT 1 FROM account WHERE email = $1", email
    ):
        problems["email"] = ALREADY_THERE
    refuse(problems)
    account = AccountView(new_id(), email, details.name, details.company, details.country, role)
    created = await tx.fetchval(
        "INSERT INTO account (id, email, name, company, country, password_hash, role, created_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (email) DO NOTHING RETURNING id",
        account.id,
        account.email,
        account.name,
        account.company,
        account.country,
        await hash_password(password),
        role.value,
        tx.now(),
    )
    if created is None:  # someone else was faster while we hashed
        raise Invalid({"email": ALREADY_THERE})
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="account.created",
        subject_kind="account",
        subject=account.id,
        before={},
        after={"email": email, "name": account.name, "role": role.value},
    )
    return account


ALREADY_THERE = "There is already an account with this address. Sign in instead."
