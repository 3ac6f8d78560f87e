"""Credit that was granted is taken back: whole, once, and only while it is there."""

import asyncio
import contextvars

from app.core.database import Database
from app.core.money import Money
from app.domain.audit.find import trail
from app.domain.billing.credit import balance, spend_credit
from app.domain.billing.find import credit_ledger
from app.domain.billing.grant_credit import grant_credit
from app.domain.billing.take_back_credit import take_back_credit
from tests.billing.conftest import Sale
from tests.orders.world import a_client

FIVE = Money(500, "EUR")


async def grant(database: Database, sale: Sale, key: str = "k", amount_minor: int = 500) -> None:
    async with database.transaction() as tx:
        await grant_credit(
            tx, sale.account, amount_minor=amount_minor, currency="EUR", reason="sorry",
            idempotency_key=key, actor=None, actor_label="test",
        )  # fmt: skip


async def take(database: Database, sale: Sale, key: str = "k") -> Money | None:
    async with database.transaction() as tx:
        return await take_back_credit(
            tx, sale.account, idempotency_key=key, reason="undone", actor=None, actor_label="test"
        )


async def left(database: Database, sale: Sale) -> int:
    async with database.snapshot() as tx:
        return await balance(tx, sale.account, "EUR")


async def spend(database: Database, sale: Sale, up_to_minor: int) -> int:
    async with database.transaction() as tx:
        return await spend_credit(
            tx, sale.account, up_to_minor=up_to_minor, currency="EUR", reason="x",
            key=f"spend:{up_to_minor}", invoice=sale.invoice,
        )  # fmt: skip


async def test_what_was_granted_is_taken_back_once(database: Database, sale: Sale) -> None:
    await grant(database, sale)
    await grant(database, sale, "other", 300)
    assert await take(database, sale) == FIVE
    assert await take(database, sale) == FIVE  # asked again: it is taken back
    assert await left(database, sale) == 300
    async with database.snapshot() as tx:
        (line, *_) = await credit_ledger(tx, sale.account)
        entries = [
            one for one in await trail(tx, [sale.account]) if one.action == "credit.taken_back"
        ]
    assert (line.amount_minor, line.reason, line.balance_minor) == (-500, "undone", 300)
    (entry,) = entries
    assert (entry.before["balance_minor"], entry.after["balance_minor"]) == (800, 300)


async def test_what_was_never_granted_is_not_taken(database: Database, sale: Sale) -> None:
    assert await take(database, sale) is None
    await grant(database, sale)
    async with database.transaction() as tx:
        stranger = await a_client(tx, "other@example.org")
        assert (
            await take_back_credit(
                tx, stranger, idempotency_key="k", reason="x", actor=None, actor_label="test"
            )
            is None
        )
    assert await left(database, sale) == 500


async def test_what_was_spent_stays_granted(database: Database, sale: Sale) -> None:
    await grant(database, sale)
    await spend(database, sale, 1)
    assert await take(database, sale) is None
    assert await left(database, sale) == 499
    await grant(database, sale, "other", 1)  # whose money it is, nobody can tell
    assert await take(database, sale) == FIVE
    assert await left(database, sale) == 0


async def test_it_is_never_both_spent_and_taken_back(database: Database, sale: Sale) -> None:
    await grant(database, sale)
    apart = contextvars.Context()
    spending = asyncio.create_task(spend(database, sale, 500), context=apart)
    taking = asyncio.create_task(take(database, sale), context=contextvars.Context())
    spent, taken = await spending, await taking
    assert await left(database, sale) == 0
    assert (spent == 500) != (taken == FIVE)
