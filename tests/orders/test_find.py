"""Reading orders: the admin's list, page by page, and a client's own."""

from app.core.database import Database
from app.domain.orders.find import list_orders, orders_of
from app.domain.orders.states import OrderState, move
from tests.orders.world import a_client, a_shop, an_order


async def test_orders_are_found_by_number_name_and_address(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx, servers=3)
        one, two = await a_client(tx, "one_1@example.org"), await a_client(tx, "two@example.org")
        first = await an_order(tx, one, hostname="alpha.example.org")
        second = await an_order(tx, one, hostname="beta.example.org")
        third = await an_order(tx, two, hostname="gamma.example.org")
        await move(tx, second.id, OrderState.paid)

        async def found(search: str = "", *states: OrderState) -> list[int]:
            page = await list_orders(tx, search=search, states=states)
            assert page.total == len(page.items)
            return [order.number for order in page.items]

        assert await found() == [third.number, second.number, first.number]
        assert await found(f" #{first.number} ") == [first.number]
        assert await found("BETA") == [second.number]
        assert await found("one_1@") == [second.number, first.number]
        assert await found("one%") == []
        assert await found("", OrderState.paid) == [second.number]
        assert await found("alpha", OrderState.paid) == []
        mine = await orders_of(tx, one)
        assert [order.number for order in mine.items] == [second.number, first.number]
        assert (mine.page, mine.page_count, mine.total) == (1, 1, 2)


async def test_a_long_list_has_pages_of_fifty(database: Database) -> None:
    async with database.transaction() as tx:
        await a_shop(tx)
        order = await an_order(tx, await a_client(tx))
        await tx.execute(
            "INSERT INTO client_order (id, account, product, state, state_since, hostname, "
            "currency, cycle, selection, idempotency_key, placed_at) "
            "SELECT gen_random_uuid(), account, product, 'cancelled', state_since, hostname, "
            "currency, cycle, selection, n::text, placed_at FROM client_order, "
            "generate_series(1, 60) n"
        )
        first = await list_orders(tx, page=0)
        second = await list_orders(tx, page=2)
        beyond = await list_orders(tx, page=3)
    assert (len(first.items), len(second.items), len(beyond.items)) == (50, 11, 0)
    assert (second.page, second.page_count, second.total) == (2, 2, 61)
    assert second.items[-1] == order
