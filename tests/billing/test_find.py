"""Reading invoices: one's own, and the admin's list."""

from uuid import uuid4

import pytest

from app.core.database import Database
from app.core.errors import NotFound
from app.domain.billing.find import find_invoice, invoices_of, list_invoices
from app.domain.billing.lock import lock_invoice
from app.domain.billing.settle import settle
from app.domain.billing.states import InvoiceState
from tests.billing.conftest import Sale
from tests.billing.ledger import fact
from tests.orders.world import a_client, an_order


async def test_an_invoice_is_its_clients_alone(database: Database, sale: Sale) -> None:
    async with database.transaction() as tx:
        view = await find_invoice(tx, sale.invoice, account=sale.account)
        assert (view.order_id, view.order_number) == (sale.order.id, sale.order.number)
        assert (view.account_country, view.due_minor) == ("DE", 5_900)
        for account in (uuid4(), sale.account):
            wrong = sale.invoice if account != sale.account else uuid4()
            with pytest.raises(NotFound):
                await find_invoice(tx, wrong, account=account)
            with pytest.raises(NotFound):
                await lock_invoice(tx, wrong, account=account)


async def test_invoices_are_listed_by_state_number_and_address(
    database: Database, sale: Sale
) -> None:
    async with database.transaction() as tx:
        other = await a_client(tx, "zoe_x@example.org")
        second = await an_order(tx, other)
        await settle(tx, fact(sale.invoice, 5_900), gateway="stripe")

        async def found(search: str = "", *states: InvoiceState) -> list[int | None]:
            page = await list_invoices(tx, search=search, states=states)
            return [row.order_number for row in page.items]

        first = sale.order.number
        assert await found() == [second.number, first]
        assert await found("zoe_x") == [second.number]
        assert await found("zoe%") == []
        assert await found(f"#{first}") == [first]
        assert await found("", InvoiceState.paid) == [first]
        assert await found("", InvoiceState.void) == []
        mine = await invoices_of(tx, other)
        assert (mine.total, mine.page_count, mine.items[0].due_minor) == (1, 1, 5_900)
