"""Every test of billing has a shop, a client, and an order of 59.00 EUR that awaits payment."""

from uuid import UUID

import msgspec
import pytest

from app.core.database import Database
from app.domain.orders.views import OrderView
from tests.orders.world import a_client, a_shop, an_order


class Sale(msgspec.Struct, frozen=True):
    account: UUID
    order: OrderView
    invoice: UUID


@pytest.fixture
async def sale(database: Database) -> Sale:
    async with database.transaction() as tx:
        await a_shop(tx, servers=2)
        account = await a_client(tx)
        order = await an_order(tx, account)
        # These tests look at what follows from money, not from the order.
        await tx.execute("DELETE FROM outbox")
    assert order.invoice_id is not None
    assert order.total_minor == 5_900
    return Sale(account, order, order.invoice_id)
