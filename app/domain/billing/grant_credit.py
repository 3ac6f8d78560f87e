"""Give a client account credit: a gesture, or money that came another way."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Invalid
from app.domain.audit.record import record
from app.domain.billing.credit import add_credit, balance


async def grant_credit(
    tx: Tx,
    account: UUID,
    *,
    amount_minor: int,
    currency: str,
    reason: str,
    idempotency_key: str,
    actor: UUID | None,
    actor_label: str,
) -> int:
    """Add credit and return the new balance in minor units; the same key adds once.

    `reason` is shown to the client. Raises Invalid.
    """
    faults = {}
    if amount_minor <= 0:
        faults["amount"] = "Enter an amount of more than zero."
    if not reason.strip():
        faults["reason"] = "Say what it is for; the client reads it."
    if faults:
        raise Invalid(faults)
    added = await add_credit(
        tx,
        account,
        amount_minor=amount_minor,
        currency=currency,
        reason=reason.strip(),
        key=f"grant:{account}:{idempotency_key}",
    )
    total_minor = await balance(tx, account, currency)
    if added:
        await record(
            tx,
            actor=actor,
            actor_label=actor_label,
            action="credit.granted",
            subject_kind="account",
            subject=account,
            before={"balance_minor": total_minor - amount_minor, "currency": currency},
            after={"balance_minor": total_minor, "currency": currency},
            reason=reason.strip(),
        )
    return total_minor
