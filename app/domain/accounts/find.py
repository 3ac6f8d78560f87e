"""Read accounts."""

from uuid import UUID

import asyncpg

from app.core.database import Tx
from app.core.errors import NotFound
from app.domain.accounts.details import normal_email
from app.domain.accounts.roles import Role
from app.domain.accounts.views import AccountView

_COLUMNS = "id, email, name, company, country, role"


async def find_account(tx: Tx, account: UUID) -> AccountView:
    """Return an account, disabled or not; raises `NotFound`."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM account WHERE id = $1", account)
    if row is None:
        raise NotFound("account", account)
    return _view(row)


async def find_account_by_email(tx: Tx, email: str) -> AccountView | None:
    """Return the account of an address in any spelling of case."""
    row = await tx.fetchrow(f"SELECT {_COLUMNS} FROM account WHERE email = $1", normal_email(email))
    return _view(row) if row else None


async def list_accounts(tx: Tx, role: Role, *, limit: int = 50) -> list[AccountView]:
    """Return the enabled accounts of a role, oldest first."""
    rows = await tx.fetch(
        f"SELECT {_COLUMNS} FROM account WHERE role = $1 AND disabled_at IS NULL "
        "ORDER BY id LIMIT $2",
        role.value,
        limit,
    )
    return [_view(row) for row in rows]


def _view(row: asyncpg.Record) -> AccountView:
    return AccountView(
        row["id"], row["email"], row["name"], row["company"], row["country"], Role(row["role"])
    )
