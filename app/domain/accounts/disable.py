"""Close an account to its owner, and open it again; nothing of it is deleted."""

from uuid import UUID

from app.core.database import Tx
from app.domain.accounts.errors import LastOwner
from app.domain.accounts.find import find_account
from app.domain.accounts.roles import Role
from app.domain.accounts.sessions import end_sessions
from app.domain.audit.record import record


async def disable(
    tx: Tx, account: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Refuse sign-in and end every session now; idempotent.

    Raises `NotFound`, or `LastOwner` when nobody could manage people any more.
    """
    view = await find_account(tx, account)
    owners = await tx.fetch(
        "SELECT id FROM account WHERE role = $1 AND disabled_at IS NULL ORDER BY id FOR UPDATE",
        Role.OWNER.value,
    )
    if view.role is Role.OWNER and [row["id"] for row in owners] == [account]:
        raise LastOwner
    changed = await tx.execute(
        "UPDATE account SET disabled_at = $2 WHERE id = $1 AND disabled_at IS NULL",
        account,
        tx.now(),
    )
    await end_sessions(tx, account)
    if changed == "UPDATE 1":
        await _record(tx, account, actor, actor_label, reason, disabled=True)


async def enable(
    tx: Tx, account: UUID, *, actor: UUID | None, actor_label: str, reason: str
) -> None:
    """Let the owner sign in again; idempotent. Raises `NotFound`."""
    await find_account(tx, account)
    changed = await tx.execute(
        "UPDATE account SET disabled_at = NULL WHERE id = $1 AND disabled_at IS NOT NULL", account
    )
    if changed == "UPDATE 1":
        await _record(tx, account, actor, actor_label, reason, disabled=False)


async def _record(
    tx: Tx, account: UUID, actor: UUID | None, actor_label: str, reason: str, *, disabled: bool
) -> None:
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="account.disabled" if disabled else "account.enabled",
        subject_kind="account",
        subject=account,
        before={"disabled": not disabled},
        after={"disabled": disabled},
        reason=reason,
    )
