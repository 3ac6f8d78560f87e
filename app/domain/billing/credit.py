"""Account credit: a ledger whose sum, by currency, is the balance.

Entries are only ever added. `key` says what an entry is for, and the database takes it
once. Only `spend_credit` and `take_back` take out, under the account's lock, so that the
balance is never negative.
"""

from uuid import UUID

import msgspec

from app.core.database import Tx
from app.core.ids import new_id
from app.core.money import Money


async def add_credit(
    tx: Tx,
    account: UUID,
    *,
    amount_minor: int,
    currency: str,
    reason: str,
    key: str,
    invoice: UUID | None = None,
) -> bool:
    """Put `amount_minor` (1 or more) in, once per `key`; returns False when it was there."""
    if amount_minor <= 0:
        raise ValueError(f"credit of {amount_minor} is not a credit")
    entry = _Entry(account, currency, amount_minor, reason, key, invoice)
    return await _enter(tx, entry)


async def spend_credit(
    tx: Tx, account: UUID, *, up_to_minor: int, currency: str, reason: str, key: str, invoice: UUID
) -> int:
    """Take out what there is, at most `up_to_minor`; returns how much that was.

    0 when there is nothing to take, or when `key` was taken before. Locks the account, so
    two who spend at the same time wait for each other.
    """
    await tx.execute("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", account)
    amount_minor = min(await balance(tx, account, currency), up_to_minor)
    if amount_minor <= 0:
        return 0
    entry = _Entry(account, currency, -amount_minor, reason, key, invoice)
    return amount_minor if await _enter(tx, entry) else 0


class TakenBack(msgspec.Struct, frozen=True):
    """Credit that was taken back; `is_new` when it was just now."""

    amount: Money
    is_new: bool


async def take_back(tx: Tx, account: UUID, *, key: str, reason: str) -> TakenBack | None:
    """Take out again what `key` put in, whole, once; None when that is not there to be taken.

    Locks the account, so that nobody spends it meanwhile.
    """
    await tx.execute("SELECT FROM account WHERE id = $1 FOR NO KEY UPDATE", account)
    row = await tx.fetchrow(
        "SELECT amount_minor, currency FROM credit_entry WHERE account = $1 AND entry_key = $2",
        account,
        key,
    )
    if row is None:
        return None
    amount, back = Money(row["amount_minor"], row["currency"]), f"takeback:{key}"
    if await tx.fetchval("SELECT EXISTS (SELECT FROM credit_entry WHERE entry_key = $1)", back):
        return TakenBack(amount, is_new=False)
    if await balance(tx, account, amount.currency) < amount.amount_minor:
        return None
    await _enter(tx, _Entry(account, amount.currency, -amount.amount_minor, reason, back, None))
    return TakenBack(amount, is_new=True)


async def balance(tx: Tx, account: UUID, currency: str) -> int:
    """Return what a client has in one currency, in minor units."""
    total: int = await tx.fetchval(
        "SELECT COALESCE(sum(amount_minor), 0)::bigint FROM credit_entry "
        "WHERE account = $1 AND currency = $2",
        account,
        currency,
    )
    return total


async def balances(tx: Tx, account: UUID) -> dict[str, int]:
    """Return what a client has by currency; currencies with nothing left are not there."""
    rows = await tx.fetch(
        "SELECT currency, sum(amount_minor)::bigint FROM credit_entry WHERE account = $1 "
        "GROUP BY currency HAVING sum(amount_minor) <> 0 ORDER BY currency",
        account,
    )
    return {row[0]: row[1] for row in rows}


class _Entry(msgspec.Struct, frozen=True):
    account: UUID
    currency: str
    amount_minor: int
    reason: str
    key: str
    invoice: UUID | None


async def _enter(tx: Tx, entry: _Entry) -> bool:
    entered = await tx.fetchval(
        "INSERT INTO credit_entry (id, account, currency, amount_minor, reason, entry_key, "
        "invoice, at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) "
        "ON CONFLICT (entry_key) DO NOTHING RETURNING id",
        new_id(),
        *msgspec.structs.astuple(entry),
        tx.now(),
    )
    tx.publish(f"account:{entry.account}")
    return entered is not None
