"""Give a client account credit: a gesture, or money that came another way."""

from uuid import UUID

from app.core.database import Tx
from app.core.errors import Conflict, Invalid
from app.core.money import Money
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

    `reason` is shown to the client. Raises Invalid, and Conflict when the key granted
    something else before.
    """
    faults = {}
    if amount_minor <= 0:
        faults["amount"] = "Enter an amount of more than zero."
    if not reason.strip():
        faults["reason"] = "Say what it is for; the client reads it."
    if faults:
        raise Invalid(faults)
    reason, key = reason.strip(), entry_key(account, idempotency_key)
    added = await add_credit(
        tx, account, amount_minor=amount_minor, currency=currency, reason=reason, key=key
    )
    if not added:
        await _check_same(tx, key, Money(amount_minor, currency), reason)
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
            reason=reason,
        )
    return total_minor


def entry_key(account: UUID, idempotency_key: str) -> str:
    """Return the key of the ledger's entry; `take_back_credit` finds it by that."""
    return f"grant:{account}:{idempotency_key}"


async def _check_same(tx: Tx, key: str, amount: Money, reason: str) -> None:
    """Refuse a form that comes back changed: nothing would be granted, and nobody would know."""
    row = await tx.fetchrow(
        "SELECT amount_minor, currency, reason FROM credit_entry WHERE entry_key = $1", key
    )
    if row is not None and tuple(row) != (amount.amount_minor, amount.currency, reason):
        granted = Money(row["amount_minor"], row["currency"]).text()
        raise Conflict(
            f"This form was sent before and granted {granted}. Open it again to grant more."
        )
