"""Take back account credit that was granted, as long as the client has not spent it."""

from uuid import UUID

from app.core.database import Tx
from app.core.money import Money
from app.domain.audit.record import record
from app.domain.billing.credit import balance, take_back
from app.domain.billing.grant_credit import entry_key


async def take_back_credit(
    tx: Tx,
    account: UUID,
    *,
    idempotency_key: str,
    reason: str,
    actor: UUID | None,
    actor_label: str,
) -> Money | None:
    """Take out what was granted under the key, whole or not at all; once.

    Returns what was taken back, also when asked again. None when nothing was granted, or when
    less than that is left: then the client has spent it, and it stays granted.
    """
    taken = await take_back(tx, account, key=entry_key(account, idempotency_key), reason=reason)
    if taken is None or not taken.is_new:
        return None if taken is None else taken.amount
    total_minor = await balance(tx, account, taken.amount.currency)
    await record(
        tx,
        actor=actor,
        actor_label=actor_label,
        action="credit.taken_back",
        subject_kind="account",
        subject=account,
        before={
            "balance_minor": total_minor + taken.amount.amount_minor,
            "currency": taken.amount.currency,
        },
        after={"balance_minor": total_minor, "currency": taken.amount.currency},
        reason=reason,
    )
    return taken.amount
